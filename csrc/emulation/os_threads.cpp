// Runs an emulated grid with one OS thread per CUDA thread, for ThreadSanitizer: clusters one after
// another, the threads of each at once.
#include <thread>

#include "emulation/grid.h"

namespace symbreak::emulation {

void wait(Barrier& barrier) { pthread_barrier_wait(&barrier.barrier); }

void run_grid(const Launch& shape, const std::function<void()>& body) {
  current_grid = {{static_cast<unsigned>(shape.blocks)}, {static_cast<unsigned>(shape.threads)}};
  Cluster cluster;
  std::vector<Thread> threads;
  prepare(shape, cluster, threads);
  for (int64_t first = 0; first < shape.blocks; first += shape.cluster) {
    place(shape, first, cluster);
    std::vector<std::thread> running;
    running.reserve(threads.size());
    for (Thread& thread : threads) {
      running.emplace_back([&] {
        current_thread = &thread;
        body();
      });
    }
    for (std::thread& thread : running) thread.join();
    check_guard(shape, cluster);
  }
}

}  // namespace symbreak::emulation
