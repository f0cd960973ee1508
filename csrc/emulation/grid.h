// Threads, blocks and clusters of an emulated launch, and what runs them.
//
// By default the threads of a cluster are fibers of one OS thread (fibers.cpp). Compiled with
// SYMBREAK_EMULATION_THREADS each one is an OS thread and a barrier is a pthread barrier
// (os_threads.cpp), so that ThreadSanitizer sees which accesses nothing orders.
#pragma once

#include <pthread.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "cuda/launch.h"

namespace symbreak::emulation {

inline constexpr int kWarpSize = 32;

struct Barrier {
#if defined(SYMBREAK_EMULATION_THREADS)
  pthread_barrier_t barrier;
#else
  int expected = 0, arrived = 0;
  unsigned generation = 0;
#endif
};

struct Index {
  unsigned x = 0;
};

// What the lanes of a warp tell each other: two sets, used in turn, so that one barrier is enough.
struct Warp {
  Barrier barrier;
  uint64_t exchanged[2][kWarpSize];
  int lanes;  // fewer than 32 in the last warp of an odd block
};

struct Block {
  Barrier barrier;
  Index index;
  unsigned rank;                 // in its cluster
  std::vector<uint64_t> memory;  // the shared memory, poisoned, and a guard behind it
  unsigned char* shared;
};

struct Cluster {
  Barrier barrier;
  std::vector<Block> blocks;
  std::vector<Warp> warps;
};

struct Thread {
  Index index;
  unsigned lane = 0, exchanges = 0;
  Block* block = nullptr;
  Warp* warp = nullptr;
  Cluster* cluster = nullptr;
#if !defined(SYMBREAK_EMULATION_THREADS)
  enum State { kFresh, kSuspended, kDone } state = kFresh;
  const Barrier* waits_for = nullptr;
  unsigned generation = 0;
  void* stack = nullptr;  // where it stopped
#endif
};

struct GridShape {
  Index blocks, threads;
};

// Fibers run one grid at a time, so that what threadIdx.x reads in inner loops is a plain variable.
#if defined(SYMBREAK_EMULATION_THREADS)
inline thread_local Thread* current_thread = nullptr;
#else
inline Thread* current_thread = nullptr;
#endif
inline GridShape current_grid = {};

// Waits until all threads of the barrier have come.
void wait(Barrier& barrier);

// Runs `body` once per thread of the grid.
void run_grid(const Launch& shape, const std::function<void()>& body);

// The order of threads and blocks: forward, reverse or shuffled anew at each step.
struct Order {
  enum Kind { kForward, kReverse, kShuffle } kind = kForward;
  uint64_t seed = 0;
};
// From SYMBREAK_EMULATED_ORDER: forward, reverse or shuffle:SEED.
Order order_from_environment();

// A cluster of blocks with poisoned shared memory, and its threads.
void prepare(const Launch& shape, Cluster& cluster, std::vector<Thread>& threads);
// Its first block's place in the grid; the shared memory is poisoned again.
void place(const Launch& shape, int64_t first_block, Cluster& cluster);
// Aborts where a block wrote behind its shared memory.
void check_guard(const Launch& shape, const Cluster& cluster);

// An error that the next check_launch reports, as CUDA does; null clears it and returns the last.
const char* exchange_error(const char* error);
// Whether the machine (an H200, unless the environment says otherwise) can launch this.
bool can_launch(const void* kernel, const Launch& shape);
void allow_shared(const void* kernel, int64_t bytes);
// Clusters of so many blocks at once, each block alone on its multiprocessor.
int64_t clusters_at_once(int blocks);

}  // namespace symbreak::emulation

namespace symbreak {

// An H200; SYMBREAK_EMULATED_SHARED_BYTES sets how much shared memory a block may have.
DeviceProperties device_properties();

}  // namespace symbreak
