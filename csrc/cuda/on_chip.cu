// The on-chip kernels for both sizes, with the amplitude in shared memory or in the caches.
#include "cuda/on_chip.h"
#include "cuda/on_chip_kernel.h"

namespace symbreak {
namespace {

template <typename Body>
bool with_on_chip_layout(int64_t size, const Body& body) {
  if (size == 64) body(OnChipLayout<Radices<8, 8>>());
  if (size == 128) body(OnChipLayout<Radices<16, 8>>());
  return size == 64 || size == 128;
}

}  // namespace

bool on_chip_fits(int64_t size, int64_t shared_bytes) {
  bool fits = false;
  with_on_chip_layout(size, [&]<class Layout>(Layout) { fits = Layout::kBytes <= shared_bytes; });
  return fits;
}

int on_chip_blocks(int64_t size) { return size == 64 ? 4 : 1; }

void launch_on_chip(Stream stream, int size, int64_t images, const OnChipArguments& arguments) {
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    constexpr int64_t kAll = Layout::kBytes + Layout::kAmplitudeBytes;
    const bool shared = kAll <= device_properties().shared_bytes;
    const auto kernel = shared ? &on_chip_kernel<Layout, true> : &on_chip_kernel<Layout, false>;
    const int64_t bytes = shared ? kAll : Layout::kBytes;
    set_shared_limit(kernel, bytes);
    launch(kernel, {images, Layout::kThreads, bytes}, stream, arguments);
  });
}

}  // namespace symbreak
