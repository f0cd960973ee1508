// The process's memory as a GPU sees it: allocations and who was where.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ptx {

// A thread at one place in time. Two of one launch are ordered by a barrier between them only.
struct Access {
  uint32_t launch = 0;  // 0: none
  uint32_t cluster = 0, thread = 0;
  uint32_t cluster_epoch = 0, block_epoch = 0, block = 0;
  bool atomic = false;
  uint8_t bytes = 15;  // of the four, as bits

  bool before(const Access& now) const {
    if (launch != now.launch) return true;
    if (cluster != now.cluster) return false;
    if (thread == now.thread || cluster_epoch < now.cluster_epoch) return true;
    return block == now.block && block_epoch < now.block_epoch;
  }
};

// Four bytes of memory.
struct Word {
  Access writer, reader;
  // Of the readers only the last is known, and whether it was alone since a barrier, in a launch.
  bool crowd = false, clusters = false;
  uint8_t unset = 0;  // bytes to which a kernel wrote what nothing had set, padding for example
};

// Notes an access; false where another thread may be there at the same time.
bool visit(Word& word, const Access& now, bool writes);

struct Allocation {
  uintptr_t begin = 0;
  size_t bytes = 0;
  std::vector<Word> words;  // empty until a kernel comes here
};

// The allocation that holds the address, or null. Valid while the memory is locked.
Allocation* find_allocation(uintptr_t address);
// Constants of a module and the like, which posix_memalign knows nothing of.
void add_allocation(const void* begin, size_t bytes);
// The host has written there.
void set_by_host(const void* begin, size_t bytes);
void lock_memory();
void unlock_memory();

}  // namespace ptx
