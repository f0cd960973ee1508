// What the host half of a CUDA op needs from torch: the device's tensors, its stream, its errors.
//
// In the emulated build (SYMBREAK_EMULATED) the same ops work on CPU tensors and are registered in
// place of those of csrc/cpu.
#pragma once

#include "common/stable.h"
#include "cuda/device.h"

#if defined(SYMBREAK_EMULATED)

#define SYMBREAK_CUDA_LIBRARY(m) STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m)

namespace symbreak {

inline bool on_device(const Tensor& x) { return x.is_cpu(); }
inline Stream current_stream(const Tensor&) { return {}; }
struct DeviceGuard {
  explicit DeviceGuard(const Tensor&) {}
};

}  // namespace symbreak

#else

#define SYMBREAK_CUDA_LIBRARY(m) STABLE_TORCH_LIBRARY_IMPL(symbreak, CUDA, m)

// Weak: libtorch_cuda.so defines it, a CPU build of torch does not, and the library loads there
// too.
extern "C" __attribute__((weak)) AOTITorchError
aoti_torch_get_current_cuda_stream(int32_t device_index, void** ret_stream);

namespace symbreak {

inline bool on_device(const Tensor& x) { return x.is_cuda(); }

inline Stream current_stream(const Tensor& x) {
  STD_TORCH_CHECK(aoti_torch_get_current_cuda_stream != nullptr,
                  "symbreak: this build of torch has no CUDA support.");
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(x.get_device_index(), &stream));
  return static_cast<Stream>(stream);
}

// Another argument may have brought an op here whose x is on the CPU, which has no index.
inline int32_t device_index(const Tensor& x) {
  STD_TORCH_CHECK(on_device(x), "symbreak: the first tensor must be on the device of the others.");
  return x.get_device_index();
}

struct DeviceGuard : torch::stable::accelerator::DeviceGuard {
  explicit DeviceGuard(const Tensor& x) : torch::stable::accelerator::DeviceGuard(device_index(x)) {
    // torch has told its own copy of the CUDA runtime; ours is another one, linked statically.
    set_device(x.get_device_index());
  }
};

}  // namespace symbreak

#endif

namespace symbreak {

inline void check_launch(const char* op) {
  const char* error = launch_error();
  STD_TORCH_CHECK(error == nullptr, op, ": ", error);
}

// Complex data as pixels: [...] of Pixel<T>.
template <typename T>
const Pixel<T>* pixel_data(const Tensor& x) {
  return static_cast<const Pixel<T>*>(x.const_data_ptr());
}
template <typename T>
Pixel<T>* mutable_pixel_data(const Tensor& x) {
  return static_cast<Pixel<T>*>(x.mutable_data_ptr());
}

}  // namespace symbreak
