// The device API (cuda/device.h) for nvcc.
#pragma once

#include <cuda_runtime.h>

#include <utility>

#include "cuda/launch.h"

#define SYMBREAK_KERNEL __global__
#define SYMBREAK_DEVICE __device__ __forceinline__
#define SYMBREAK_SHARED(name) extern __shared__ __align__(16) unsigned char name[]

namespace symbreak {

using Stream = cudaStream_t;

// cluster: what the result points to.
inline cudaLaunchConfig_t launch_config(const Launch& shape, Stream stream,
                                        cudaLaunchAttribute& cluster) {
  cudaLaunchConfig_t config{};
  // Too many blocks must be an error, not some of them.
  config.gridDim = dim3(static_cast<unsigned>(std::min<int64_t>(shape.blocks, UINT32_MAX)));
  config.blockDim = dim3(shape.threads);
  config.dynamicSmemBytes = shape.shared_bytes;
  config.stream = stream;
  cluster.id = cudaLaunchAttributeClusterDimension;
  cluster.val.clusterDim = {static_cast<unsigned>(shape.cluster), 1, 1};
  config.attrs = &cluster;
  config.numAttrs = shape.cluster > 1 ? 1 : 0;
  return config;
}

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& shape, Stream stream,
            Arguments&&... arguments) {
  cudaLaunchAttribute cluster{};
  const cudaLaunchConfig_t config = launch_config(shape, stream, cluster);
  cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...);
}

// Clusters of this shape that the current device works on at once, 0 where it cannot tell; after
// set_shared_limit.
template <typename Kernel>
int64_t clusters_at_once(Kernel* kernel, const Launch& shape) {
  cudaLaunchAttribute cluster{};
  const cudaLaunchConfig_t config = launch_config(shape, nullptr, cluster);
  const auto* const function = reinterpret_cast<const void*>(kernel);
  int clusters = 0;
  if (cudaOccupancyMaxActiveClusters(&clusters, function, &config) == cudaSuccess) return clusters;
  cudaGetLastError();  // or the next launch would be told of it
  return 0;
}

// Of the current device.
inline DeviceProperties device_properties() {
  int device = 0, shared = 0, multiprocessors = 0, major = 0, minor = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
  cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
  return {shared, multiprocessors, 10 * major + minor};
}

// Always to all there is: with a limit of their own, other threads could lower it between here and
// the launch. Also asks for as little L1 cache as there can be: then several such blocks share an
// SM.
template <typename Kernel>
void set_shared_limit(Kernel* kernel, int64_t bytes) {
  const auto* const function = reinterpret_cast<const void*>(kernel);
  const int64_t most = std::max(bytes, device_properties().shared_bytes);
  cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                       static_cast<int>(most));
  cudaFuncSetAttribute(function, cudaFuncAttributePreferredSharedMemoryCarveout,
                       cudaSharedmemCarveoutMaxShared);
}

inline void set_device(int device) {
  int current = -1;
  cudaGetDevice(&current);
  if (current != device) cudaSetDevice(device);
}

inline void fill_bytes(Stream stream, void* to, int value, int64_t bytes) {
  // Of nothing there may be no address that the runtime knows.
  if (bytes > 0) cudaMemsetAsync(to, value, bytes, stream);
}

inline void copy_bytes(Stream stream, void* to, const void* from, int64_t bytes) {
  if (bytes > 0) cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
}

// What went wrong since the last call, or null.
inline const char* launch_error() {
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

// threadIdx.x, read anew at each call: volatile keeps the compiler from hoisting addresses out of
// the iteration loop, where they would cost registers.
SYMBREAK_DEVICE unsigned thread_index() {
  unsigned index;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(index));
  return index;
}

// Keeps the compiler from interleaving unrolled pieces of work, which would cost registers too.
SYMBREAK_DEVICE void schedule_fence() { asm volatile("" ::: "memory"); }

// 1/sqrt(x) of a positive normal number, to 2^-22.9; rsqrtf spends three more instructions on
// denormal ones.
SYMBREAK_DEVICE float inverse_sqrt_of_normal(float x) {
  float root;
  asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(root) : "f"(x));
  return root;
}

// A store that others to the same place may meet: volatile, hence relaxed to PTX.
template <typename T>
SYMBREAK_DEVICE void store_relaxed(T* at, T value) {
  *static_cast<volatile T*>(at) = value;
}

// Holds the values in registers at this point.
SYMBREAK_DEVICE void pin(float& value) { asm volatile("" : "+f"(value)); }
SYMBREAK_DEVICE void pin(double& value) { asm volatile("" : "+d"(value)); }
template <typename Z, int kCount>
SYMBREAK_DEVICE void pin(Z (&values)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    pin(values[i].re);
    pin(values[i].im);
  }
}

SYMBREAK_DEVICE void cluster_sync() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire.aligned;" ::
                   : "memory");
#endif
}

SYMBREAK_DEVICE unsigned cluster_rank() {
  unsigned rank = 0;
#if __CUDA_ARCH__ >= 900
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
#endif
  return rank;
}

// A place in the shared memory of another block of the cluster.
struct Peer {
  unsigned address;
};

// The place in block `rank` that `own` is here.
SYMBREAK_DEVICE Peer peer_of(const void* own, unsigned rank) {
  Peer peer{0};
#if __CUDA_ARCH__ >= 900
  const unsigned local = static_cast<unsigned>(__cvta_generic_to_shared(own));
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(peer.address) : "r"(local), "r"(rank));
#endif
  return peer;
}

// Element `index` of an array of T (4, 8 or 16 bytes, aligned to its size).
template <typename T>
SYMBREAK_DEVICE T peer_load(Peer peer, int index) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16);
  unsigned word[4] = {};
#if __CUDA_ARCH__ >= 900
  const unsigned from = peer.address + index * unsigned(sizeof(T));
  if constexpr (sizeof(T) == 4) {
    asm volatile("ld.shared::cluster.b32 %0, [%1];" : "=r"(word[0]) : "r"(from) : "memory");
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("ld.shared::cluster.v2.b32 {%0, %1}, [%2];"
                 : "=r"(word[0]), "=r"(word[1])
                 : "r"(from)
                 : "memory");
  } else {
    asm volatile("ld.shared::cluster.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(word[0]), "=r"(word[1]), "=r"(word[2]), "=r"(word[3])
                 : "r"(from)
                 : "memory");
  }
#endif
  T value;
  __builtin_memcpy(&value, word, sizeof(T));
  return value;
}

template <typename T>
SYMBREAK_DEVICE void peer_store(Peer peer, int index, const T& value) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8 || sizeof(T) == 16);
  unsigned word[4] = {};
  __builtin_memcpy(word, &value, sizeof(T));
#if __CUDA_ARCH__ >= 900
  const unsigned to = peer.address + index * unsigned(sizeof(T));
  if constexpr (sizeof(T) == 4) {
    asm volatile("st.shared::cluster.b32 [%0], %1;" ::"r"(to), "r"(word[0]) : "memory");
  } else if constexpr (sizeof(T) == 8) {
    asm volatile("st.shared::cluster.v2.b32 [%0], {%1, %2};" ::"r"(to), "r"(word[0]), "r"(word[1])
                 : "memory");
  } else {
    asm volatile("st.shared::cluster.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(word[0]),
                 "r"(word[1]), "r"(word[2]), "r"(word[3])
                 : "memory");
  }
#endif
}

}  // namespace symbreak
