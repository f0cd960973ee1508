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
  // The same threads for every cluster: starting them takes longer than most kernels. The first one
  // sets the next cluster up while the others wait for it. Two barriers, not one twice: to
  // ThreadSanitizer, one who leaves a barrier late comes after all that others did before they came
  // to it again, which would be the whole kernel.
  Barrier begin, end;
  for (Barrier* barrier : {&begin, &end}) {
    pthread_barrier_init(&barrier->barrier, nullptr, static_cast<unsigned>(threads.size()));
  }
  const auto run = [&](Thread& thread) {
    const Thread fresh = thread;
    for (int64_t first = 0; first < shape.blocks; first += shape.cluster) {
      if (&thread == threads.data()) place(shape, first, cluster);
      wait(begin);
      current_thread = &(thread = fresh);
      body();
      wait(end);
      if (&thread == threads.data()) check_guard(shape, cluster);
    }
  };
  std::vector<std::thread> running;
  running.reserve(threads.size());
  for (Thread& thread : threads) running.emplace_back(run, std::ref(thread));
  for (std::thread& thread : running) thread.join();
}

}  // namespace symbreak::emulation
