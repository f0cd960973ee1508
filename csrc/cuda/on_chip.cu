// The on-chip kernels for every size, with the amplitude in shared memory or in the caches.
#include "cuda/on_chip.h"
#include "cuda/on_chip_kernel.h"

namespace symbreak {
namespace {

template <typename Body>
bool with_on_chip_layout(int64_t size, const Body& body) {
  if (size == 64) body(OnChipLayout<Radices<8, 8>>());
  if (size == 128) body(OnChipLayout<Radices<16, 8>>());
  if (size == 256) body(OnChipLayout<Radices<16, 16>, 4>());
  return size == 64 || size == 128 || size == 256;
}

// From this one on, blocks form clusters.
constexpr int kClusterCapability = 90;

}  // namespace

bool on_chip_fits(int64_t size, const DeviceProperties& device) {
  bool fits = false;
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    fits = Layout::kBytes <= device.shared_bytes &&
           (Layout::kBlocks == 1 || device.capability >= kClusterCapability);
  });
  return fits;
}

int64_t on_chip_wave(int64_t size, int multiprocessors) {
  if (size == 64) return 4 * int64_t{multiprocessors};
  return size == 128 ? multiprocessors : std::max(1, multiprocessors / 4);
}

void launch_on_chip(Stream stream, int size, int64_t images, const OnChipArguments& arguments) {
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    constexpr int64_t kAll = Layout::kBytes + Layout::kAmplitudeBytes;
    const bool shared = kAll <= device_properties().shared_bytes;
    const auto kernel = shared ? &on_chip_kernel<Layout, true> : &on_chip_kernel<Layout, false>;
    const int64_t bytes = shared ? kAll : Layout::kBytes;
    set_shared_limit(kernel, bytes);
    launch(kernel, {images * Layout::kBlocks, Layout::kThreads, bytes, Layout::kBlocks}, stream,
           arguments);
  });
}

}  // namespace symbreak
