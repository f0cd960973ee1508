// CUDA's built-in functions on emulated threads: barriers, warp exchanges, atomics, arithmetic.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "emulation/grid.h"

inline void __syncthreads() {
  symbreak::emulation::wait(symbreak::emulation::current_thread->block->barrier);
}
inline void __syncwarp(unsigned = ~0u) {
  symbreak::emulation::wait(symbreak::emulation::current_thread->warp->barrier);
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

namespace symbreak::emulation {

// Shows `value` to the warp; returns what all lanes showed. All 32 take part, whatever the mask.
template <typename T>
const uint64_t* exchange(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t));
  Thread& self = *current_thread;
  uint64_t* shown = self.warp->exchanged[self.exchanges++ % 2];
  std::memcpy(&shown[self.lane], &value, sizeof(T));
  wait(self.warp->barrier);
  return shown;
}

// The value of lane `from`, or one's own where there is no such lane.
template <typename T>
T shuffle(T value, unsigned from) {
  const uint64_t* shown = exchange(value);
  if (from < static_cast<unsigned>(current_thread->warp->lanes)) {
    std::memcpy(&value, &shown[from], sizeof(T));
  }
  return value;
}

template <typename T, typename Update>
T update_atomically(T* at, Update update) {
  T old = __atomic_load_n(at, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(at, &old, update(old), false, __ATOMIC_RELAXED,
                                      __ATOMIC_RELAXED)) {
  }
  return old;
}

}  // namespace symbreak::emulation

template <typename T>
T __shfl_sync(unsigned, T value, int lane) {
  return symbreak::emulation::shuffle(value, lane);
}
template <typename T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return symbreak::emulation::shuffle(value, symbreak::emulation::current_thread->lane ^ mask);
}
template <typename T>
T __shfl_down_sync(unsigned, T value, unsigned delta) {
  return symbreak::emulation::shuffle(value, symbreak::emulation::current_thread->lane + delta);
}
template <typename T>
T __shfl_up_sync(unsigned, T value, unsigned delta) {
  return symbreak::emulation::shuffle(value, symbreak::emulation::current_thread->lane - delta);
}
inline unsigned __ballot_sync(unsigned, int predicate) {
  const uint64_t* shown = symbreak::emulation::exchange<uint64_t>(predicate != 0);
  unsigned bits = 0;
  for (int lane = 0; lane < symbreak::emulation::current_thread->warp->lanes; ++lane) {
    bits |= static_cast<unsigned>(shown[lane]) << lane;
  }
  return bits;
}
inline int __any_sync(unsigned mask, int predicate) { return __ballot_sync(mask, predicate) != 0; }

// Integers only: the sum of floats would depend on the order of the threads.
template <typename T>
T atomicAdd(T* at, T value) {
  return __atomic_fetch_add(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicOr(T* at, T value) {
  return __atomic_fetch_or(at, value, __ATOMIC_RELAXED);
}
template <typename T>
T atomicMax(T* at, T value) {
  return symbreak::emulation::update_atomically(at,
                                                [=](T old) { return old < value ? value : old; });
}
template <typename T>
T atomicMin(T* at, T value) {
  return symbreak::emulation::update_atomically(at,
                                                [=](T old) { return value < old ? value : old; });
}

inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int __clz(int bits) { return bits == 0 ? 32 : __builtin_clz(bits); }
inline int __ffs(int bits) { return __builtin_ffs(bits); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }
inline void sincos(float x, float* s, float* c) { ::sincosf(x, s, c); }
inline void sincospi(double x, double* s, double* c) { ::sincos(M_PI * x, s, c); }
template <typename T>
T __ldg(const T* at) {
  return *at;
}
