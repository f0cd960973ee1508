// ld, st, atom, cvta and mapa: addresses, and what is at them.
#include <algorithm>

#include "machine.h"

namespace ptx {
namespace {

using Words = std::vector<std::string>;

std::string hex(uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%#llx", static_cast<unsigned long long>(number));
  return text;
}

[[noreturn]] void fail(const Frame& f, int lane, const std::string& what) {
  throw Fault("thread " + std::to_string(f.warp.index * kLanes + lane) + " of the block: " + what);
}

// Bytes of memory: where they are, whether they have been set (null: unknown), who was there (null:
// nobody else can be).
struct Place {
  unsigned char* bytes;
  unsigned char* set;
  Word* words;  // of the first byte
};

Place shared_place(Frame& f, int lane, Block& block, uint64_t address, int64_t bytes) {
  const int64_t begin = int64_t(address) - kSharedBegin;
  if (begin < 0 || begin + bytes > int64_t(block.shared.size())) {
    fail(f, lane,
         "outside of the " + std::to_string(block.shared.size()) + " bytes of shared memory, at " +
             std::to_string(begin));
  }
  return {&block.shared[begin], &block.set[begin], &block.words[begin / 4]};
}

Place place_of(Frame& f, int lane, Space space, uint64_t address, int64_t bytes) {
  if (address % bytes != 0) {
    fail(f, lane,
         hex(address) + " is not aligned to the " + std::to_string(bytes) + " bytes there");
  }
  if (space == Space::kGeneric) {
    space = Space::kGlobal;
    if (address >= kLocalWindow && address < 2 * kLocalWindow) {
      space = Space::kLocal;
      address -= kLocalWindow;
    } else if (address >= kSharedWindow && address < 2 * kSharedWindow) {
      space = Space::kShared;
      address -= kSharedWindow;
    }
  }
  switch (space) {
    case Space::kShared:
      return shared_place(f, lane, *f.warp.block, address, bytes);
    case Space::kCluster: {
      const uint64_t rank = address >> 24;  // one more than it; 0: the own block
      if (rank > f.warp.cluster->blocks.size()) fail(f, lane, "no such block in the cluster");
      Block& block = rank == 0 ? *f.warp.block : f.warp.cluster->blocks[rank - 1];
      if (block.running == 0) fail(f, lane, "a block of the cluster that has ended");
      return shared_place(f, lane, block, address & 0xFFFFFF, bytes);
    }
    case Space::kLocal: {
      const int64_t size = f.function.local_bytes;
      if (int64_t(address) < 0 || int64_t(address) + bytes > size)
        fail(f, lane, "outside of its local memory");
      return {&f.local[lane * size + address], &f.local_set[lane * size + address], nullptr};
    }
    case Space::kParam: {
      const int64_t size = f.function.parameter_bytes;
      if (int64_t(address) < 0 || int64_t(address) + bytes > size)
        fail(f, lane, "outside of the parameters");
      if (!f.function.is_kernel) return {&f.parameters[lane * size + address], nullptr, nullptr};
      // Those of a kernel, and behind them what it hands to functions.
      const Variable& last = f.function.parameters.back();
      if (int64_t(address) >= last.offset + last.bytes) {
        return {&f.parameters[lane * size + address], nullptr, nullptr};
      }
      return {const_cast<unsigned char*>(&(*f.warp.parameters)[address]), nullptr, nullptr};
    }
    default: {
      Allocation* const found = find_allocation(address);
      if (found == nullptr || address + bytes > found->begin + found->bytes) {
        fail(f, lane,
             hex(address) + " is in no allocation" +
                 (found ? ": " + std::to_string(found->bytes) + " bytes end before it does" : ""));
      }
      if (found->words.empty()) found->words.resize((found->bytes + 3) / 4);
      return {reinterpret_cast<unsigned char*>(address), nullptr,
              &found->words[(address - found->begin) / 4]};
    }
  }
}

// Byte i of a place in global memory: its word, and its bit there.
Word& word_of(const Place& place, int64_t i, uint8_t& bit) {
  const int64_t low = reinterpret_cast<uintptr_t>(place.bytes) % 4 + i;
  bit = uint8_t(1 << low % 4);
  return place.words[low / 4];
}

bool is_set(const Place& place, int64_t offset, int64_t bytes) {
  for (int64_t i = offset; i < offset + bytes; ++i) {
    uint8_t bit;
    if (place.set != nullptr) {
      if (!place.set[i]) return false;
    } else if (place.words != nullptr && (word_of(place, i, bit).unset & bit) != 0) {
      return false;
    }
  }
  return true;
}

void set(const Place& place, int64_t offset, int64_t bytes, bool known) {
  for (int64_t i = offset; i < offset + bytes; ++i) {
    uint8_t bit;
    if (place.set != nullptr) {
      place.set[i] = known;
    } else if (place.words != nullptr) {
      uint8_t& unset = word_of(place, i, bit).unset;
      unset = known ? unset & ~bit : unset | bit;
    }
  }
}

void note(Frame& f, int lane, const Place& place, int64_t bytes, bool writes, bool atomic) {
  if (place.words == nullptr) return;
  const Warp& w = f.warp;
  Access now;
  now.launch = w.launch;
  now.cluster = w.cluster_index;
  now.thread = uint32_t(w.block->rank * w.shape->threads + w.index * kLanes + lane);
  now.cluster_epoch = w.cluster->epoch;
  now.block_epoch = w.block->epoch;
  now.block = uint32_t(w.block->index);
  now.atomic = atomic;
  if (bytes < 4) {
    const auto low = reinterpret_cast<uintptr_t>(place.bytes) % 4;
    now.bytes = uint8_t(((1 << bytes) - 1) << low);
  }
  for (int64_t i = 0; i < (bytes + 3) / 4; ++i) {
    if (!visit(place.words[i], now, writes)) {
      fail(f, lane,
           std::string(writes ? "writes" : "reads") + " where another one is at the same time");
    }
  }
}

uint64_t address_of(const Frame& f, const Inst& inst, int lane) {
  if ((f.set[inst.from[0]] >> lane & 1) == 0) fail(f, lane, "an address that nothing has set");
  return f.values[inst.from[0]][lane] + inst.offset;
}

void load(Frame& f, const Inst& inst, uint32_t mask) {
  const int count = int(inst.to.size()), bytes = inst.bytes;
  uint32_t set[8];
  std::fill(set, set + count, 0);
  uint64_t loaded[8][kLanes];
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const Place place = place_of(f, lane, inst.space, address_of(f, inst, lane), count * bytes);
    note(f, lane, place, count * bytes, false, inst.relaxed);
    for (int i = 0; i < count; ++i) {
      uint64_t value = 0;
      std::memcpy(&value, place.bytes + i * bytes, bytes);
      if (inst.is_signed && bytes < 8 && (value >> (8 * bytes - 1) & 1))
        value |= ~uint64_t{0} << (8 * bytes);
      loaded[i][lane] = value;
      if (is_set(place, i * bytes, bytes)) set[i] |= 1u << lane;
    }
  }
  for (int i = 0; i < count; ++i) {
    for (int lane = 0; lane < kLanes; ++lane) {
      if (mask >> lane & 1) f.values[inst.to[i]][lane] = loaded[i][lane];
    }
    mark(f, inst.to[i], mask, set[i]);
  }
}

void store(Frame& f, const Inst& inst, uint32_t mask) {
  const int count = int(inst.from.size()) - 1, bytes = inst.bytes;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const Place place = place_of(f, lane, inst.space, address_of(f, inst, lane), count * bytes);
    note(f, lane, place, count * bytes, true, inst.relaxed);
    for (int i = 0; i < count; ++i) {
      const int row = inst.from[i + 1];
      std::memcpy(place.bytes + i * bytes, &f.values[row][lane], bytes);
      set(place, i * bytes, bytes, f.set[row] >> lane & 1);
    }
  }
}

// atom: to = the old value; from = address, operand.
template <class T, class Op>
void atomic(Frame& f, const Inst& inst, uint32_t mask) {
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const Place place = place_of(f, lane, inst.space, address_of(f, inst, lane), sizeof(T));
    note(f, lane, place, sizeof(T), true, true);
    if ((f.set[inst.from[1]] >> lane & 1) == 0) fail(f, lane, "a value that nothing has set");
    if (!is_set(place, 0, sizeof(T))) fail(f, lane, "an atomic operation on what nothing has set");
    T old;
    std::memcpy(&old, place.bytes, sizeof(T));
    const T updated = Op()(old, get<T>(f.values[inst.from[1]][lane]));
    std::memcpy(place.bytes, &updated, sizeof(T));
    f.values[inst.to[0]][lane] = put(old);
  }
  mark(f, inst.to[0], mask, ~0u);
}

struct Sum {
  template <class T>
  T operator()(T a, T b) const {
    return T(uint64_t(a) + uint64_t(b));
  }
};
struct Union {
  template <class T>
  T operator()(T a, T b) const {
    return a | b;
  }
};
struct Largest {
  template <class T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
};
struct Smallest {
  template <class T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
};

template <class Op>
Run atomic_on(const std::string& type) {
  if (type == "u32" || type == "b32") return atomic<uint32_t, Op>;
  if (type == "u64" || type == "b64") return atomic<uint64_t, Op>;
  if (type == "s32") return atomic<int32_t, Op>;
  if (type == "s64") return atomic<int64_t, Op>;
  return nullptr;
}

// cvta: from a window's address to that of its space, or back; offset holds what to add.
void move_window(Frame& f, const Inst& inst, uint32_t mask) {
  for (int lane = 0; lane < kLanes; ++lane) {
    if (mask >> lane & 1) {
      const uint64_t address = f.values[inst.from[0]][lane];
      if (inst.offset < 0 && address - uint64_t(-inst.offset) >= uint64_t(-inst.offset)) {
        fail(f, lane, hex(address) + " is not in that space");
      }
      if (inst.offset == 0 && address >= kSharedWindow) fail(f, lane, "not a global address");
      f.values[inst.to[0]][lane] = address + inst.offset;
    }
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

// mapa: the place in the shared memory of another block of the cluster.
void map_to_block(Frame& f, const Inst& inst, uint32_t mask) {
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const uint64_t rank = uint32_t(f.values[inst.from[1]][lane]);
    if (rank >= f.warp.cluster->blocks.size()) fail(f, lane, "no such block in the cluster");
    f.values[inst.to[0]][lane] = (f.values[inst.from[0]][lane] & 0xFFFFFF) | (rank + 1) << 24;
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

bool has(const Words& words, const char* word) {
  return std::count(words.begin(), words.end(), word) > 0;
}

}  // namespace

Run find_memory_run(const Words& words, Inst& inst) {
  const std::string &name = words[0], &type = words.back();
  if (has(words, "global")) inst.space = Space::kGlobal;
  if (has(words, "shared") || has(words, "shared::cta")) inst.space = Space::kShared;
  if (has(words, "shared::cluster")) inst.space = Space::kCluster;
  if (has(words, "local")) inst.space = Space::kLocal;
  if (has(words, "param")) inst.space = Space::kParam;
  if (name == "ld" || name == "st") {
    inst.bytes = std::stoi(type.substr(1)) / 8;
    inst.is_signed = type[0] == 's';
    inst.relaxed = has(words, "volatile");  // as strong as relaxed to PTX
    return name == "ld" ? load : store;
  }
  if (name == "atom") {
    const std::string& what = words[words.size() - 2];
    if (what == "add") return atomic_on<Sum>(type);
    if (what == "or") return atomic_on<Union>(type);
    if (what == "max") return atomic_on<Largest>(type);
    if (what == "min") return atomic_on<Smallest>(type);
  }
  if (name == "cvta") {
    const int64_t window = inst.space == Space::kShared  ? kSharedWindow
                           : inst.space == Space::kLocal ? kLocalWindow
                                                         : 0;
    inst.offset = has(words, "to") ? -window : window;
    return move_window;
  }
  if (name == "mapa") return map_to_block;
  return nullptr;
}

}  // namespace ptx
