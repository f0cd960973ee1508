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

// The kernel that a device takes, which is allowed its shared memory, and its launch.
template <class Layout>
struct OnChipKernel {
  void (*kernel)(OnChipArguments);
  Launch launch;

  OnChipKernel(int64_t images, const DeviceProperties& device) {
    constexpr int64_t kAll = Layout::kBytes + Layout::kAmplitudeBytes;
    const bool shared = kAll <= device.shared_bytes;
    kernel = shared ? &on_chip_kernel<Layout, true> : &on_chip_kernel<Layout, false>;
    launch = {images * Layout::kBlocks, Layout::kThreads, shared ? kAll : Layout::kBytes,
              Layout::kBlocks};
    set_shared_limit(kernel, launch.shared_bytes);
  }
};

}  // namespace

bool on_chip_fits(int64_t size, const DeviceProperties& device) {
  bool fits = false;
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    fits = Layout::kBytes <= device.shared_bytes &&
           (Layout::kBlocks == 1 || device.capability >= kClusterCapability);
  });
  return fits;
}

int64_t on_chip_wave(int64_t size, const DeviceProperties& device) {
  int64_t images = 1;
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    if constexpr (Layout::kBlocks == 1) {
      images = int64_t{device.multiprocessors} * (Layout::kSize == 64 ? 4 : 1);
    } else {
      // Fewer than its multiprocessors could hold: a cluster stays within a part of the device.
      const OnChipKernel<Layout> found(1, device);
      images = std::max<int64_t>(1, clusters_at_once(found.kernel, found.launch));
    }
  });
  return images;
}

void launch_on_chip(Stream stream, int size, int64_t images, const OnChipArguments& arguments) {
  with_on_chip_layout(size, [&]<class Layout>(Layout) {
    const OnChipKernel<Layout> found(images, device_properties());
    launch(found.kernel, found.launch, stream, arguments);
  });
}

}  // namespace symbreak
