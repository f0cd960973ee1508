// Launching on the stream that torch uses now, and turning CUDA errors into torch's.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>

#include "common/stable.h"

// Weak: libtorch_cuda.so defines it, a CPU build of torch does not, and the library loads there
// too.
extern "C" __attribute__((weak)) AOTITorchError
aoti_torch_get_current_cuda_stream(int32_t device_index, void** ret_stream);

namespace symbreak {

inline cudaStream_t current_stream(const Tensor& x) {
  STD_TORCH_CHECK(aoti_torch_get_current_cuda_stream != nullptr,
                  "symbreak: this build of torch has no CUDA support.");
  void* stream = nullptr;
  TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(x.get_device_index(), &stream));
  return static_cast<cudaStream_t>(stream);
}

inline void check_launch(const char* op) {
  const cudaError_t error = cudaGetLastError();
  STD_TORCH_CHECK(error == cudaSuccess, op, ": ", cudaGetErrorString(error));
}

// Blocks for a grid-stride loop over `count` elements.
inline unsigned blocks_for(int64_t count, int64_t threads) {
  return static_cast<unsigned>(std::min<int64_t>((count + threads - 1) / threads, 1 << 16));
}

}  // namespace symbreak
