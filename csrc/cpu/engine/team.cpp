// Starting and joining the threads of one call.
#include "cpu/engine/team.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

#include <chrono>
#include <vector>

#include "cpu/others.h"

namespace symbreak {
namespace {

// Puts each thread of a team on a core of its own to begin with: Linux often starts or wakes one on
// the core of the thread that asks for it, and takes ten milliseconds to notice that the two wait
// for each other there.
class Cores {
 public:
#if defined(__linux__)
  Cores() : here_(sched_getcpu()) { known_ = sched_getaffinity(0, sizeof(all_), &all_) == 0; }

  // Moves the calling thread to the core `distance` after that of the team's first thread, if it
  // may run there; from then on it is where it may be, as before.
  void step(int distance) const {
    if (!known_ || here_ < 0 || CPU_COUNT(&all_) <= distance) return;
    int core = here_;
    while (distance > 0) {
      core = (core + 1) % CPU_SETSIZE;
      if (CPU_ISSET(core, &all_)) --distance;
    }
    cpu_set_t mine, one;
    if (sched_getcpu() == core || sched_getaffinity(0, sizeof(mine), &mine) != 0) return;
    if (!CPU_ISSET(core, &mine)) return;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    if (sched_setaffinity(0, sizeof(one), &one) == 0) sched_setaffinity(0, sizeof(mine), &mine);
  }

 private:
  int here_;
  bool known_;
  cpu_set_t all_;
#else
  void step(int) const {}
#endif
};

// A team of a pool's threads, if all of them come. A pool may run its tasks one after the other, or
// with fewer threads than asked for, and members wait for each other inside the body: so nobody
// begins before everybody is there, and after a while those who came leave again.
class Muster {
 public:
  explicit Muster(int size) : size_(size) {}

  // True if the team is complete; the same answer for all.
  bool join(int members) {
    if (members > 1) return leave();
    if (arrived_.fetch_add(1) + 1 == size_) {
      State expected = State::kForming;
      state_.compare_exchange_strong(expected, State::kComplete);
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (state_.load() == State::kForming) {
      if (std::chrono::steady_clock::now() > end) leave();
    }
    return complete();
  }

  bool complete() const { return state_.load() == State::kComplete; }

 private:
  enum class State { kForming, kComplete, kLeft };

  bool leave() {
    State expected = State::kForming;
    state_.compare_exchange_strong(expected, State::kLeft);
    return complete();
  }

  const int size_;
  std::atomic<int> arrived_{0};
  std::atomic<State> state_{State::kForming};
};

// After a fork the pool's threads are gone, and the pool of GNU's OpenMP waits for them forever.
std::atomic<bool> forked{false};
#if defined(__unix__) || defined(__APPLE__)
const int watching_forks = pthread_atfork(nullptr, nullptr, [] { forked.store(true); });
#endif

// The threads of torch's pool, which spin for milliseconds after their last work, on the cores that
// others would need: 200 iterations of one 256 x 256 image on two cores took half as long again.
bool run_on_pool(const Threads& threads, const Cores& cores, const std::function<void(int)>& body,
                 const std::function<void()>& meanwhile) {
  if (threads.pool == nullptr || forked.load()) return false;
  Muster muster(threads.count);
  Others others(threads.count - 1);
  threads.pool(threads.count, [&](int begin, int end) {
    if (!muster.join(end - begin)) return;
    if (begin > 0) cores.step(begin);
    body(begin);
    // The pool's own way of waiting is deaf.
    if (begin > 0) {
      others.end();
    } else {
      others.wait(meanwhile);
    }
  });
  return muster.complete();
}

// Threads of our own. Starting one costs some 20 us, once per call.
void run_on_own(int threads, const Cores& cores, const std::function<void(int)>& body,
                const std::function<void()>& meanwhile) {
  std::vector<std::thread> started;
  std::atomic<int> go{0};  // 1: all started, -1: give up
  Others others(threads - 1);
  try {
    for (int rank = 1; rank < threads; ++rank) {
      started.emplace_back([&go, &body, &cores, &others, rank] {
        cores.step(rank);
        go.wait(0);
        if (go.load() > 0) body(rank);
        others.end();
      });
    }
  } catch (...) {
    go.store(-1);
    go.notify_all();
    for (std::thread& thread : started) thread.join();
    throw;
  }
  go.store(1);
  go.notify_all();
  body(0);
  others.wait(meanwhile);
  for (std::thread& thread : started) thread.join();
}

}  // namespace

void run_threads(const Threads& threads, const std::function<void(int)>& body,
                 const std::function<void()>& meanwhile) {
  if (threads.count <= 1) return body(0);
  const Cores cores;
  if (run_on_pool(threads, cores, body, meanwhile)) return;
  run_on_own(threads.count, cores, body, meanwhile);
}

}  // namespace symbreak
