// Records what torch allocates (posix_memalign), filled with 0xFF: NaN, or -1.
#include "memory.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>

extern "C" {
void* __libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void* memory);
}

namespace ptx {
namespace {

struct Allocations {
  std::recursive_mutex mutex;
  std::map<uintptr_t, Allocation> list;
  Allocation* last = nullptr;
};
Allocations& allocations() {
  // Outlives everything that frees, and allocates nothing itself.
  alignas(Allocations) static unsigned char memory[sizeof(Allocations)];
  static Allocations* const all = new (memory) Allocations;
  return *all;
}

// What the interpreter itself allocates is no memory of the device.
thread_local bool busy = false;
class Busy {
 public:
  Busy() : before_(busy) { busy = true; }
  ~Busy() { busy = before_; }

 private:
  bool before_;
};

}  // namespace

bool visit(Word& word, const Access& now, bool writes) {
  const auto meets = [&](const Access& other) {
    return other.launch != 0 && (other.bytes & now.bytes) != 0 && !other.before(now) &&
           !(other.atomic && now.atomic);
  };
  if (meets(word.writer)) return false;
  const Access& last = word.reader;
  const bool same_time = last.launch == now.launch && last.cluster == now.cluster &&
                         last.cluster_epoch == now.cluster_epoch &&
                         last.block_epoch == now.block_epoch;
  const bool same_launch = last.launch != 0 && last.launch == now.launch;
  if (writes) {
    if (meets(last) || (word.crowd && same_time) || (word.clusters && same_launch)) return false;
    word.writer = now;
    word.reader = {};
    word.crowd = word.clusters = false;
    return true;
  }
  const bool shares = (last.bytes & now.bytes) != 0;
  word.crowd = same_time && (word.crowd || (shares && last.thread != now.thread));
  word.clusters = same_launch && (word.clusters || (shares && last.cluster != now.cluster));
  word.reader = now;
  return true;
}

Allocation* find_allocation(uintptr_t address) {
  Allocations& all = allocations();
  const auto holds = [&](const Allocation& a) {
    return address >= a.begin && address < a.begin + a.bytes;
  };
  if (all.last != nullptr && holds(*all.last)) return all.last;
  auto found = all.list.upper_bound(address);
  if (found == all.list.begin()) return nullptr;
  --found;
  if (!holds(found->second)) return nullptr;
  all.last = &found->second;
  return all.last;
}

void add_allocation(const void* begin, size_t bytes) {
  const std::lock_guard lock(allocations().mutex);
  const Busy guard;
  const auto at = reinterpret_cast<uintptr_t>(begin);
  allocations().list[at] = {at, bytes, {}};
  allocations().last = nullptr;
}

void set_by_host(const void* begin, size_t bytes) {
  const std::lock_guard lock(allocations().mutex);
  const auto at = reinterpret_cast<uintptr_t>(begin);
  Allocation* const found = find_allocation(at);
  if (found == nullptr || found->words.empty()) return;
  for (size_t i = 0; i < (bytes + 3) / 4; ++i)
    found->words.at((at - found->begin) / 4 + i).unset = 0;
}

void lock_memory() {
  allocations().mutex.lock();
  busy = true;
}
void unlock_memory() {
  busy = false;
  allocations().mutex.unlock();
}

namespace {

void forget(void* memory) {
  const std::lock_guard lock(allocations().mutex);
  const Busy guard;
  if (allocations().list.erase(reinterpret_cast<uintptr_t>(memory)) > 0)
    allocations().last = nullptr;
}

}  // namespace
}  // namespace ptx

extern "C" int posix_memalign(void** result, size_t alignment, size_t bytes) {
  void* const memory = __libc_memalign(alignment, bytes);
  if (memory == nullptr) return ENOMEM;
  std::memset(memory, 0xFF, bytes);
  if (!ptx::busy) ptx::add_allocation(memory, bytes);
  *result = memory;
  return 0;
}

extern "C" void free(void* memory) {
  // Torch aligns to 64 bytes.
  if (!ptx::busy && memory != nullptr && reinterpret_cast<uintptr_t>(memory) % 64 == 0) {
    ptx::forget(memory);
  }
  __libc_free(memory);
}
