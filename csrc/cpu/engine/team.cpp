// Starting and joining the threads of one call.
#include "cpu/engine/team.h"

#include <vector>

namespace symbreak {

// Threads of our own: members wait for each other inside the body, which a pool that may run its
// tasks one after the other does not allow. Starting one costs some 20 us, once per call.
void run_threads(int threads, const std::function<void(int)>& body) {
  std::vector<std::thread> others;
  std::atomic<int> go{0};  // 1: all started, -1: give up
  try {
    for (int rank = 1; rank < threads; ++rank) {
      others.emplace_back([&go, &body, rank] {
        go.wait(0);
        if (go.load() > 0) body(rank);
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
  for (std::thread& thread : others) thread.join();
}

}  // namespace symbreak
