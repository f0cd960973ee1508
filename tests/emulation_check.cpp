// Small kernels that try the emulation of CUDA itself: `emulation_check CASE` prints numbers or
// fails.
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/device.h"

using namespace symbreak;

namespace {

constexpr int kThreads = 64, kBlocks = 2;

// Reverses each block through shared memory.
template <bool kBarrier>
SYMBREAK_KERNEL void reverse_kernel(const float* x, float* y) {
  SYMBREAK_SHARED(memory);
  float* tile = reinterpret_cast<float*>(memory);
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  tile[threadIdx.x] = x[at];
  if constexpr (kBarrier) __syncthreads();
  y[at] = tile[blockDim.x - 1 - threadIdx.x];
}

// Every thread gets what its place in the next block of the cluster holds; block sums by shuffles.
SYMBREAK_KERNEL void cluster_kernel(const float* x, float* y) {
  SYMBREAK_SHARED(memory);
  float* tile = reinterpret_cast<float*>(memory);
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = x[at];
  for (int mask = 16; mask > 0; mask /= 2) sum += __shfl_xor_sync(~0u, sum, mask);
  tile[threadIdx.x] = sum;
  cluster_sync();
  y[at] = peer_load<float>(peer_of(tile, cluster_rank() ^ 1), threadIdx.x);
  cluster_sync();
}

SYMBREAK_KERNEL void uneven_kernel(float*) {
  if (threadIdx.x < 32) __syncthreads();
}

SYMBREAK_KERNEL void overflow_kernel(float*) {
  SYMBREAK_SHARED(memory);
  memory[kThreads + threadIdx.x] = 0;
}

}  // namespace

int main(int, char** argument) {
  const char* name = argument[1];
  std::vector<float> x(kThreads * kBlocks), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  Launch shape{kBlocks, kThreads, kThreads * sizeof(float)};
  if (!std::strcmp(name, "reverse")) {
    launch(reverse_kernel<true>, shape, {}, x.data(), y.data());
  } else if (!std::strcmp(name, "missing-barrier")) {
    launch(reverse_kernel<false>, shape, {}, x.data(), y.data());
  } else if (!std::strcmp(name, "cluster")) {
    shape.cluster = 2;
    launch(cluster_kernel, shape, {}, x.data(), y.data());
  } else if (!std::strcmp(name, "uneven-barrier")) {
    launch(uneven_kernel, shape, {}, y.data());
  } else if (!std::strcmp(name, "overflow")) {
    shape.shared_bytes = kThreads;
    launch(overflow_kernel, shape, {}, y.data());
  } else if (!std::strcmp(name, "too-much-shared")) {
    shape.shared_bytes = 64 << 10;
    launch(reverse_kernel<true>, shape, {}, x.data(), y.data());
    std::puts(launch_error());
    return 0;
  } else {
    return 2;
  }
  for (const float value : y) std::printf("%g ", value);
}
