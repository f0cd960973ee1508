// The device API (cuda/device.h) for g++: CUDA's names on emulated threads.
//
// It has no weak memory, no bank conflicts and no lockstep of warps, and its inverse square root is
// exact.
#pragma once

#include <cmath>
#include <cstring>
#include <tuple>
#include <type_traits>
#include <utility>

#include "cuda/launch.h"
#include "emulation/grid.h"

#define SYMBREAK_KERNEL
#define SYMBREAK_DEVICE inline
#define SYMBREAK_SHARED(name) \
  unsigned char* const name = ::symbreak::emulation::current_thread->block->shared
#define __launch_bounds__(...)
#define threadIdx (::symbreak::emulation::current_thread->index)
#define blockIdx (::symbreak::emulation::current_thread->block->index)
#define blockDim (::symbreak::emulation::current_grid.threads)
#define gridDim (::symbreak::emulation::current_grid.blocks)

#include "emulation/intrinsics.h"

namespace symbreak {

struct Stream {};

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), const Launch& shape, Stream, Arguments&&... arguments) {
  if (!emulation::can_launch(reinterpret_cast<const void*>(kernel), shape)) return;
  const std::tuple<std::decay_t<Parameters>...> parameters(std::forward<Arguments>(arguments)...);
  emulation::run_grid(shape, [&] { std::apply(kernel, parameters); });
}

template <typename Kernel>
void set_shared_limit(Kernel* kernel, int64_t bytes) {
  emulation::allow_shared(reinterpret_cast<const void*>(kernel), bytes);
}

template <typename Kernel>
int64_t clusters_at_once(Kernel*, const Launch& shape) {
  return emulation::clusters_at_once(shape.cluster);
}

inline void fill_bytes(Stream, void* to, int value, int64_t bytes) {
  std::memset(to, value, bytes);
}
inline void copy_bytes(Stream, void* to, const void* from, int64_t bytes) {
  std::memcpy(to, from, bytes);
}

inline const char* launch_error() { return emulation::exchange_error(nullptr); }

inline unsigned thread_index() { return threadIdx.x; }
inline void schedule_fence() {}
inline float inverse_sqrt_of_normal(float x) { return 1.0f / std::sqrt(x); }
template <typename T>
void store_relaxed(T* at, T value) {
  __atomic_store_n(at, value, __ATOMIC_RELAXED);
}
template <typename T>
inline void pin(T&) {}

inline void cluster_sync() { emulation::wait(emulation::current_thread->cluster->barrier); }
inline unsigned cluster_rank() { return emulation::current_thread->block->rank; }

struct Peer {
  unsigned char* address;
};

inline Peer peer_of(const void* own, unsigned rank) {
  const emulation::Thread& thread = *emulation::current_thread;
  const auto offset = static_cast<const unsigned char*>(own) - thread.block->shared;
  return {thread.cluster->blocks[rank].shared + offset};
}
template <typename T>
T peer_load(Peer peer, int index) {
  return reinterpret_cast<const T*>(peer.address)[index];
}
template <typename T>
void peer_store(Peer peer, int index, const T& value) {
  reinterpret_cast<T*>(peer.address)[index] = value;
}

}  // namespace symbreak
