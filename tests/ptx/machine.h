// A machine of warps for PTX: blocks and clusters, their memory, and what is forbidden on them.
//
// What it finds, each a Fault:
//   an address outside of the space or the allocation, or not aligned to what is read there
//   a value that nothing has set, where it decides a branch or an address or goes to global memory
//   two threads at one place of shared or global memory, one of them writing, and nothing between
//   a barrier or an exchange that not all of the threads reach that it waits for
#pragma once

#include <array>
#include <cstring>
#include <memory>

#include "memory.h"
#include "program.h"

namespace ptx {

inline constexpr int kLanes = 32;

inline uint32_t lanes_mask(int lanes) { return lanes == kLanes ? ~0u : (1u << lanes) - 1; }

struct Shape {
  int64_t blocks = 1, threads = 1, shared_bytes = 0, cluster = 1;
};

struct Block {
  int64_t index = 0, rank = 0;
  std::vector<unsigned char> shared, set;  // set: one per byte of shared
  std::vector<Word> words;                 // who was there
  uint32_t epoch = 0;                      // barriers passed
  int64_t running = 0;                     // warps; none: its shared memory is no longer there
};

struct Cluster {
  std::vector<Block> blocks;
  uint32_t epoch = 0;
};

struct Warp {
  Cluster* cluster = nullptr;
  Block* block = nullptr;
  const Module* module = nullptr;
  const std::vector<unsigned char>* parameters = nullptr;  // of the kernel
  const Shape* shape = nullptr;
  int index = 0;  // in its block
  int lanes = kLanes;
  uint32_t launch = 0, cluster_index = 0;
};

// A function on a warp: its registers, and where each lane is.
struct Frame {
  Warp& warp;
  const Function& function;
  std::vector<std::array<uint64_t, kLanes>> values;
  std::vector<uint32_t> set;                                // lanes of which a row has a value
  std::vector<unsigned char> local, local_set, parameters;  // [lane][bytes]
  std::array<int, kLanes> at{};
  uint32_t alive = 0, waiting = 0;

  Frame(Warp& warp, const Function& function, uint32_t lanes);
  // Until every lane is at a barrier of its block or cluster, or done.
  void run();

 private:
  void step_alone(const Inst& inst, uint32_t mask);
  void meet(const Inst& inst, int pc, uint32_t mask);
  void call(const Inst& inst, uint32_t mask);
  [[noreturn]] void fault(const Inst& inst, int lane, const std::string& what) const;
};

// Runs a kernel; arguments: its parameters' addresses.
void run_grid(const Module& module, const Function& kernel, const Shape& shape, void** arguments);

// For the instructions.
inline uint32_t all_set(const Frame& f, const Inst& inst) {
  uint32_t set = ~0u;
  for (const int row : inst.from) set &= f.set[row];
  return set;
}
inline void mark(Frame& f, int row, uint32_t mask, uint32_t set) {
  f.set[row] = (f.set[row] & ~mask) | (set & mask);
}
template <class T>
T get(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
template <class T>
uint64_t put(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

}  // namespace ptx
