// The caller of a parallel piece of work, waiting for the other threads and looking around
// meanwhile.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace symbreak {

// How many other threads are at work. To wait for them within a pool's loop one must know that they
// are: a pool may give the caller all of its parts one after the other.
class Others {
 public:
  static constexpr std::chrono::milliseconds kLook{20};

  explicit Others(int count = 0) : count_(count) {}

  void begin() {
    const std::lock_guard lock(mutex_);
    ++count_;
  }

  void end() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_one();
  }

  // Returns when none is at work; calls `meanwhile` every `kLook` until then. Others often end at
  // nearly the same time, so it begins with spinning.
  void wait(const std::function<void()>& meanwhile) {
    for (int spins = 0; count_ > 0 && spins < 2000; ++spins) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
    std::unique_lock lock(mutex_);
    while (!none_.wait_for(lock, kLook, [&] { return count_ == 0; })) {
      lock.unlock();
      meanwhile();
      lock.lock();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  std::atomic<int> count_;  // changed under the mutex
};

// Its thread is one of the others as long as it lives.
class AtWork {
 public:
  explicit AtWork(Others& others) : others_(others) { others_.begin(); }
  ~AtWork() { others_.end(); }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  Others& others_;
};

}  // namespace symbreak
