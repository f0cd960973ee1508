// Threads that work on one image together, in step.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "cpu/threads.h"

namespace symbreak {

// All members wait until the last one comes. A sweep takes tens of microseconds, so waiting begins
// with spinning; where cores are oversubscribed it goes over to yielding.
class Barrier {
 public:
  explicit Barrier(int size) : size_(size) {}

  void wait() {
    if (size_ == 1) return;
    const int64_t phase = phase_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) == size_ - 1) {
      arrived_.store(0, std::memory_order_relaxed);
      phase_.store(phase + 1, std::memory_order_release);
      return;
    }
    for (int spins = 0; phase_.load(std::memory_order_acquire) == phase; ++spins) {
      if (spins < 2000) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
      } else {
        std::this_thread::yield();
      }
    }
  }

 private:
  const int size_;
  std::atomic<int> arrived_{0};
  std::atomic<int64_t> phase_{0};
};

// One member's view of its team. The work of a sweep is split by blocks, and every member gets the
// same blocks in every sweep along an axis.
struct Member {
  int rank = 0, size = 1;
  Barrier* barrier = nullptr;

  bool leads() const { return rank == 0; }
  int begin(int blocks) const { return static_cast<int>(int64_t{blocks} * rank / size); }
  int end(int blocks) const { return static_cast<int>(int64_t{blocks} * (rank + 1) / size); }
  void wait() const { barrier->wait(); }
};

// Calls body(0) .. body(threads.count - 1) at the same time, body(0) on the calling thread. The
// bodies must not throw: the others might be waiting for one that does. While the calling thread
// waits for the others it calls `meanwhile` many times a second.
void run_threads(const Threads& threads, const std::function<void(int)>& body,
                 const std::function<void()>& meanwhile);

}  // namespace symbreak
