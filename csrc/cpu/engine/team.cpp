// Starting and joining the threads of one call.
#include "cpu/engine/team.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <chrono>
#include <semaphore>
#include <vector>

namespace symbreak {
namespace {

// Which core a thread runs on, and which ones it may run on.
class Cores {
 public:
#if defined(__linux__)
  Cores() : here_(sched_getcpu()) { known_ = sched_getaffinity(0, sizeof(all_), &all_) == 0; }

  // Moves the calling thread to the core `distance` after this one; from there on it is free again.
  void step(int distance) const {
    if (!known_ || here_ < 0 || CPU_COUNT(&all_) <= distance) return;
    int core = here_;
    while (distance > 0) {
      core = (core + 1) % CPU_SETSIZE;
      if (CPU_ISSET(core, &all_)) --distance;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_setaffinity(0, sizeof(one), &one) == 0) sched_setaffinity(0, sizeof(all_), &all_);
  }

 private:
  int here_;
  bool known_;
  cpu_set_t all_;
#else
  void step(int) const {}
#endif
};

}  // namespace

// Threads of our own: members wait for each other inside the body, which a pool that may run its
// tasks one after the other does not allow. Starting one costs some 20 us, once per call.
// Each begins on a core of its own: Linux often starts it on that of its parent, and takes ten
// milliseconds to notice that two threads wait for each other there (measured: 200 iterations of
// one 256 x 256 image on two cores took twice as long).
void run_threads(int threads, const std::function<void(int)>& body,
                 const std::function<void()>& meanwhile) {
  std::vector<std::thread> others;
  std::atomic<int> go{0};  // 1: all started, -1: give up
  std::counting_semaphore<> done{0};
  const Cores cores;
  try {
    for (int rank = 1; rank < threads; ++rank) {
      others.emplace_back([&go, &body, &cores, &done, rank] {
        cores.step(rank);
        go.wait(0);
        if (go.load() > 0) body(rank);
        done.release();
      });
    }
  } catch (...) {
    go.store(-1);
    go.notify_all();
    for (std::thread& thread : others) thread.join();
    throw;
  }
  go.store(1);
  go.notify_all();
  body(0);
  for (int rank = 1; rank < threads; ++rank) {
    while (!done.try_acquire_for(std::chrono::milliseconds(100))) meanwhile();
  }
  for (std::thread& thread : others) thread.join();
}

}  // namespace symbreak
