// Kernels that do one thing wrong each, to try the interpreter: `faults CASE` prints what it says.
// They keep to no rules, so only nvcc compiles them.
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/device.h"

using namespace symbreak;

namespace {

constexpr int kThreads = 64, kBlocks = 2;

template <int kCase>
SYMBREAK_KERNEL void __launch_bounds__(kThreads) faulty_kernel(const float* x, float* y) {
  SYMBREAK_SHARED(memory);
  float* tile = reinterpret_cast<float*>(memory);
  const int thread = threadIdx.x, at = blockIdx.x * kThreads + thread;
  tile[thread] = x[at];
  if constexpr (kCase == 0) {  // nothing wrong
    __syncthreads();
    y[at] = tile[kThreads - 1 - thread];
  } else if constexpr (kCase == 1) {  // no barrier
    y[at] = tile[kThreads - 1 - thread];
  } else if constexpr (kCase == 2) {  // within a warp, the same
    y[at] = tile[thread ^ 1];
  } else if constexpr (kCase == 3) {  // a barrier that half of a warp comes to
    if (x[at] > 15) __syncthreads();
    y[at] = x[at];
  } else if constexpr (kCase == 4) {  // a shuffle whose mask leaves half of the warp out
    y[at] = __shfl_xor_sync(0xFFFFu, x[at], 1);
  } else if constexpr (kCase == 5) {  // a shuffle that half of a warp comes to
    y[at] = x[at] > 15 ? __shfl_xor_sync(~0u, x[at], 1) : 0;
  } else if constexpr (kCase == 6) {  // one element too far
    y[at] = x[at + 1];
  } else if constexpr (kCase == 7) {  // two floats at once, off their alignment
    const Pixel<float> pair = reinterpret_cast<const Pixel<float>*>(x + 1)[thread / 2];
    y[at] = pair.re + pair.im;
  } else if constexpr (kCase == 8) {  // behind the shared memory
    tile[kThreads + thread] = x[at];
  } else if constexpr (kCase == 9) {  // shared memory that nothing has set decides
    __syncthreads();
    if (tile[kThreads + thread] > 0) y[at] = 1;
  } else if constexpr (kCase == 10) {  // all blocks at the same place
    y[thread] = x[at];
  } else if constexpr (kCase == 11) {  // an address in shared memory that is none on the device
    y[at] = *reinterpret_cast<const float*>(__cvta_generic_to_shared(tile + thread));
  } else if constexpr (kCase == 12) {  // all blocks at the same place, as they may
    store_relaxed(y + thread, 1.0f);
  } else if constexpr (kCase == 13) {  // one of them as it may not
    if (blockIdx.x == 0) {
      store_relaxed(y + thread, 1.0f);
    } else {
      y[thread] = 1;
    }
  }
}

// The first block of a cluster ends while the second one reads there.
SYMBREAK_KERNEL void ended_kernel(float* y) {
  SYMBREAK_SHARED(memory);
  float* tile = reinterpret_cast<float*>(memory);
  tile[threadIdx.x] = 1;
  cluster_sync();
  if (cluster_rank() == 1) y[threadIdx.x] = peer_load<float>(peer_of(tile, 0), threadIdx.x);
}

template <int kCase>
void run(int threads = kThreads, int64_t shared = kThreads * sizeof(float)) {
  std::vector<float> x(kThreads * kBlocks), y(x.size());
  for (size_t i = 0; i < x.size(); ++i) x[i] = float(i);
  if constexpr (kCase < 0) {
    launch(ended_kernel, {kBlocks, threads, shared, kBlocks}, Stream{}, y.data());
  } else {
    launch(faulty_kernel<kCase>, {kBlocks, threads, shared}, Stream{}, x.data(), y.data());
  }
  const char* error = launch_error();
  std::printf("%s\n", error != nullptr ? error : "no fault");
}

}  // namespace

int main(int, char** argument) {
  constexpr int64_t kTwice = 2 * kThreads * sizeof(float);
  const char* name = argument[1];
  if (!std::strcmp(name, "none")) run<0>();
  if (!std::strcmp(name, "no-barrier")) run<1>();
  if (!std::strcmp(name, "no-warp-barrier")) run<2>();
  if (!std::strcmp(name, "uneven-barrier")) run<3>();
  if (!std::strcmp(name, "small-mask")) run<4>();
  if (!std::strcmp(name, "uneven-shuffle")) run<5>();
  if (!std::strcmp(name, "too-far")) run<6>();
  if (!std::strcmp(name, "unaligned")) run<7>();
  if (!std::strcmp(name, "behind-shared")) run<8>();
  if (!std::strcmp(name, "unset")) run<9>(kThreads, kTwice);
  if (!std::strcmp(name, "same-place")) run<10>();
  if (!std::strcmp(name, "wrong-space")) run<11>();
  if (!std::strcmp(name, "relaxed")) run<12>();
  if (!std::strcmp(name, "half-relaxed")) run<13>();
  if (!std::strcmp(name, "ended-block")) run<-1>();
  if (!std::strcmp(name, "too-many-threads")) run<0>(2 * kThreads, kTwice);
}
