// What instructions do to registers. Those on memory: memory_instructions.cpp.
#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "machine.h"
#include "operations.h"

namespace ptx {

Run find_memory_run(const std::vector<std::string>& words, Inst& inst);

namespace {

using Words = std::vector<std::string>;

// to[0] = Op(from...), lane by lane; the operands of type T.
template <class T, class Op, int kOperands>
void apply(Frame& f, const Inst& inst, u32 mask) {
  const auto* a = f.values[inst.from[0]].data();
  const auto* b = f.values[inst.from[kOperands > 1 ? 1 : 0]].data();
  const auto* c = f.values[inst.from[kOperands > 2 ? 2 : 0]].data();
  auto* to = f.values[inst.to[0]].data();
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    if constexpr (kOperands == 1) {
      to[lane] = put(Op()(get<T>(a[lane])));
    } else if constexpr (kOperands == 2) {
      to[lane] = put(Op()(get<T>(a[lane]), get<T>(b[lane])));
    } else {
      to[lane] = put(Op()(get<T>(a[lane]), get<T>(b[lane]), get<T>(c[lane])));
    }
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

template <class Op, int kOperands, class... Types>
Run one_of(const std::string& type) {
  static const std::map<std::string, int> index = {{"b16", 0}, {"u16", 0}, {"b32", 1}, {"u32", 1},
                                                   {"b64", 2}, {"u64", 2}, {"s16", 3}, {"s32", 4},
                                                   {"s64", 5}, {"f32", 6}, {"f64", 7}, {"pred", 1}};
  const auto found = index.find(type);
  if (found == index.end()) return nullptr;
  const auto pick = [&]<class T>(T) -> Run {
    if constexpr (std::is_invocable_v<Op, T, T, T> && kOperands == 3) return apply<T, Op, 3>;
    if constexpr (std::is_invocable_v<Op, T, T> && kOperands == 2) return apply<T, Op, 2>;
    if constexpr (std::is_invocable_v<Op, T> && kOperands == 1) return apply<T, Op, 1>;
    return nullptr;
  };
  switch (found->second) {
    case 0:
      return pick(u16());
    case 1:
      return pick(u32());
    case 2:
      return pick(u64());
    case 3:
      return pick(s16());
    case 4:
      return pick(s32());
    case 5:
      return pick(s64());
    case 6:
      return pick(float());
    default:
      return pick(double());
  }
}

Run compare(const Words& words) {
  if (words.size() != 3) return nullptr;
  static const std::map<std::string, Run (*)(const std::string&)> tests = {
      {"eq", one_of<Equal, 2>},      {"ne", one_of<NotEqual, 2>},
      {"lt", one_of<Less, 2>},       {"le", one_of<LessEqual, 2>},
      {"gt", one_of<Greater, 2>},    {"ge", one_of<GreaterEqual, 2>},
      {"lo", one_of<Less, 2>},       {"ls", one_of<LessEqual, 2>},
      {"hi", one_of<Greater, 2>},    {"hs", one_of<GreaterEqual, 2>},
      {"equ", one_of<EqualOr, 2>},   {"neu", one_of<NotEqualOr, 2>},
      {"ltu", one_of<LessOr, 2>},    {"leu", one_of<LessEqualOr, 2>},
      {"gtu", one_of<GreaterOr, 2>}, {"geu", one_of<GreaterEqualOr, 2>},
      {"num", one_of<Ordered, 2>},   {"nan", one_of<NotOrdered, 2>}};
  const auto found = tests.find(words[1]);
  return found == tests.end() ? nullptr : found->second(words[2]);
}

// Shifts take any amount, of 32 bits whatever is shifted.
template <class T, bool kLeft>
void shift(Frame& f, const Inst& inst, u32 mask) {
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const T value = get<T>(f.values[inst.from[0]][lane]);
    const u32 amount = u32(f.values[inst.from[1]][lane]);
    const bool all = amount >= 8 * sizeof(T);
    T shifted;
    if constexpr (kLeft) {
      shifted = all ? 0 : T(u64(value) << amount);
    } else {
      shifted = T(value >> (all ? 8 * sizeof(T) - 1 : amount));
      if (all && !std::is_signed_v<T>) shifted = 0;
    }
    f.values[inst.to[0]][lane] = put(shifted);
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

template <bool kLeft>
Run find_shift(const std::string& type) {
  if (type == "b16" || type == "u16") return shift<u16, kLeft>;
  if (type == "b32" || type == "u32") return shift<u32, kLeft>;
  if (type == "b64" || type == "u64") return shift<u64, kLeft>;
  if (type == "s16") return shift<s16, kLeft>;
  if (type == "s32") return shift<s32, kLeft>;
  if (type == "s64") return shift<s64, kLeft>;
  return nullptr;
}

// Puts the low bits of the first operand into the second.
template <class T>
void insert_bits(Frame& f, const Inst& inst, u32 mask) {
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const auto at = [&](int i) { return f.values[inst.from[i]][lane]; };
    const u32 begin = at(2) & 0xFF, bits = at(3) & 0xFF, size = 8 * sizeof(T);
    T result = T(at(1));
    for (u32 i = 0; i < bits && begin + i < size; ++i) {
      const T bit = T(T(at(0)) >> i & 1);
      result = T((result & ~(T(1) << (begin + i))) | bit << (begin + i));
    }
    f.values[inst.to[0]][lane] = put(result);
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

// The first operand where the third holds, else the second; what is not chosen may be unset.
void choose(Frame& f, const Inst& inst, u32 mask) {
  const auto& condition = f.values[inst.from[2]];
  u32 set = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const int row = inst.from[condition[lane] != 0 ? 0 : 1];
    f.values[inst.to[0]][lane] = f.values[row][lane];
    set |= f.set[row] & 1u << lane;
  }
  mark(f, inst.to[0], mask, set & f.set[inst.from[2]]);
}

// Of predicates: one that settles the result is enough.
template <bool kAnd>
void join_predicates(Frame& f, const Inst& inst, u32 mask) {
  u32 set = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    bool known[2], value[2];
    for (int i = 0; i < 2; ++i) {
      known[i] = f.set[inst.from[i]] >> lane & 1;
      value[i] = f.values[inst.from[i]][lane] != 0;
    }
    f.values[inst.to[0]][lane] = kAnd ? value[0] && value[1] : value[0] || value[1];
    const bool settled = (known[0] && value[0] != kAnd) || (known[1] && value[1] != kAnd);
    if (settled || (known[0] && known[1])) set |= 1u << lane;
  }
  // What is unset must not hold the other value by chance.
  mark(f, inst.to[0], mask, set);
}

// mov, also between a register and its parts.
void move(Frame& f, const Inst& inst, u32 mask) {
  const int parts = int(std::max(inst.to.size(), inst.from.size())), bits = 8 * inst.bytes / parts;
  const u64 low = bits == 64 ? ~u64{0} : (u64{1} << bits) - 1;
  const bool splits = inst.to.size() > 1;
  u32 set = ~0u;
  for (const int row : inst.from) set &= f.set[row];
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    u64 whole = 0;
    if (splits || parts == 1) {
      whole = f.values[inst.from[0]][lane];
    } else {
      for (int i = 0; i < parts; ++i) whole |= (f.values[inst.from[i]][lane] & low) << (i * bits);
    }
    if (!splits) {
      f.values[inst.to[0]][lane] = parts == 1 ? whole & low : whole;
    } else {
      for (int i = 0; i < parts; ++i) f.values[inst.to[i]][lane] = whole >> (i * bits) & low;
    }
  }
  for (const int row : inst.to) mark(f, row, mask, set);
}

// add, sub and mad of 32 bits with the carry: offset holds what to do.
enum Carry { kUses = 1, kSets = 2, kSubtracts = 4, kMultiplies = 8, kHigh = 16 };
void with_carry(Frame& f, const Inst& inst, u32 mask) {
  const auto what = inst.offset;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    u64 a = u32(f.values[inst.from[0]][lane]), b = u32(f.values[inst.from[1]][lane]);
    const u64 carry = what & kUses ? f.values[kCarry][lane] : 0;
    if (what & kMultiplies) {
      const u64 product = a * b;
      a = what & kHigh ? product >> 32 : u32(product);
      b = u32(f.values[inst.from[2]][lane]);
    }
    const u64 sum = what & kSubtracts ? a - b - carry : a + b + carry;
    f.values[inst.to[0]][lane] = u32(sum);
    if (what & kSets) f.values[kCarry][lane] = sum >> 32 & 1;
  }
  const u32 set = all_set(f, inst) & (what & kUses ? f.set[kCarry] : ~0u);
  mark(f, inst.to[0], mask, set);
  if (what & kSets) mark(f, kCarry, mask, set);
}

Run find_carry(const Words& words, Inst& inst) {
  if (words.back() != "u32" && words.back() != "s32") return nullptr;
  const std::string& name = words[0];
  const bool sets = std::count(words.begin(), words.end(), "cc") > 0;
  inst.offset = (sets ? kSets : 0) | (name.back() == 'c' ? kUses : 0) |
                (name[0] == 's' ? kSubtracts : 0) | (name[0] == 'm' ? kMultiplies : 0) |
                (words[1] == "hi" ? kHigh : 0);
  return with_carry;
}

// cvt: from S to D; offset: the rounding's first letter after 'r', 'i' behind it for integers.
template <class D, class S>
void convert(Frame& f, const Inst& inst, u32 mask) {
  const char mode = char(inst.offset);
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    S value = get<S>(f.values[inst.from[0]][lane]);
    if constexpr (Real<S>) {
      if (mode == 'N') value = std::nearbyint(value);
      if (mode == 'Z') value = std::trunc(value);
      if (mode == 'M') value = std::floor(value);
      if (mode == 'P') value = std::ceil(value);
    }
    D result;
    if constexpr (Real<S> && Integer<D>) {
      constexpr D most = std::numeric_limits<D>::max(), least = std::numeric_limits<D>::min();
      result = value != value      ? D(0)
               : value >= S(most)  ? most
               : value <= S(least) ? least
                                   : D(value);
    } else {
      result = D(value);
    }
    f.values[inst.to[0]][lane] = put(result);
  }
  mark(f, inst.to[0], mask, all_set(f, inst));
}

template <class D>
Run convert_from(const std::string& type) {
  static const std::map<std::string, Run> from = {
      {"u8", convert<D, u8>},     {"u16", convert<D, u16>},   {"u32", convert<D, u32>},
      {"u64", convert<D, u64>},   {"s8", convert<D, int8_t>}, {"s16", convert<D, s16>},
      {"s32", convert<D, s32>},   {"s64", convert<D, s64>},   {"f32", convert<D, float>},
      {"f64", convert<D, double>}};
  const auto found = from.find(type);
  return found == from.end() ? nullptr : found->second;
}

Run find_convert(const Words& words, Inst& inst) {
  inst.offset = 0;
  for (size_t i = 1; i + 2 < words.size(); ++i) {
    if (words[i].size() == 3 && words[i][0] == 'r' && words[i][2] == 'i') {
      inst.offset = std::toupper(words[i][1]);
    } else if (words[i] != "rn") {
      return nullptr;
    }
  }
  const std::string &to = words[words.size() - 2], &from = words.back();
  static const std::map<std::string, Run (*)(const std::string&)> known = {
      {"u8", convert_from<u8>},     {"u16", convert_from<u16>},   {"u32", convert_from<u32>},
      {"u64", convert_from<u64>},   {"s8", convert_from<int8_t>}, {"s16", convert_from<s16>},
      {"s32", convert_from<s32>},   {"s64", convert_from<s64>},   {"f32", convert_from<float>},
      {"f64", convert_from<double>}};
  const auto found = known.find(to);
  return found == known.end() ? nullptr : found->second(from);
}

// shfl.sync: to = value[, whether there was such a lane]; from = value, lane, clamp, mask.
template <char kMode>
void shuffle(Frame& f, const Inst& inst, u32 mask) {
  const auto values = f.values[inst.from[0]];
  const u32 set = f.set[inst.from[0]];
  u32 result_set = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) == 0) continue;
    const int by = int(f.values[inst.from[1]][lane] & 31);
    const u32 c = u32(f.values[inst.from[2]][lane]);
    const int segment = int(c >> 8 & 31), clamp = int(c & 31);
    const int most = (lane & segment) | (clamp & ~segment), least = lane & segment;
    int from = 0;
    bool there = true;
    if (kMode == 'u') from = lane - by, there = from >= most;
    if (kMode == 'd') from = lane + by, there = from <= most;
    if (kMode == 'b') from = lane ^ by, there = from <= most;
    if (kMode == 'i') from = least | (by & ~segment), there = from <= most;
    if (!there) from = lane;
    const bool takes_part = mask >> from & 1;
    f.values[inst.to[0]][lane] = takes_part ? values[from] : ~u64{0} >> 32;
    if (takes_part && (set >> from & 1)) result_set |= 1u << lane;
    if (inst.to.size() > 1) f.values[inst.to[1]][lane] = there;
  }
  const u32 known = f.set[inst.from[1]] & f.set[inst.from[2]];
  mark(f, inst.to[0], mask, result_set & known);
  if (inst.to.size() > 1) mark(f, inst.to[1], mask, known);
}

void ballot(Frame& f, const Inst& inst, u32 mask) {
  u64 bits = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    if ((mask >> lane & 1) && f.values[inst.from[0]][lane] != 0) bits |= u64{1} << lane;
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    if (mask >> lane & 1) f.values[inst.to[0]][lane] = bits;
  }
  mark(f, inst.to[0], mask, (f.set[inst.from[0]] & mask) == mask ? ~0u : 0);
}

void nothing(Frame&, const Inst&, u32) {}

bool has(const Words& words, const char* word) {
  return std::count(words.begin(), words.end(), word) > 0;
}

}  // namespace

Run find_run(const Words& words, Inst& inst) {
  const std::string &name = words[0], &type = words.back();
  if (has(words, "ftz") && name != "rsqrt") return nullptr;
  if (has(words, "sat") || has(words, "rz") || has(words, "rm") || has(words, "rp")) return nullptr;
  if (has(words, "cc") || name == "addc" || name == "subc" || name == "madc") {
    return find_carry(words, inst);
  }
  if (name == "add") return one_of<Add, 2>(type);
  if (name == "sub") return one_of<Subtract, 2>(type);
  if (name == "mul") {
    if (has(words, "wide")) return one_of<MultiplyWide, 2>(type);
    return has(words, "hi") ? one_of<MultiplyHigh, 2>(type) : one_of<Multiply, 2>(type);
  }
  if (name == "fma" || (name == "mad" && has(words, "lo"))) return one_of<MultiplyAdd, 3>(type);
  if (name == "div" && !has(words, "approx") && !has(words, "full")) return one_of<Divide, 2>(type);
  if (name == "rem") return one_of<Remainder, 2>(type);
  if (name == "min") return one_of<Least, 2>(type);
  if (name == "max") return one_of<Most, 2>(type);
  if (name == "neg") return one_of<Negate, 1>(type);
  if (name == "abs") return one_of<Magnitude, 1>(type);
  if (name == "and" && type == "pred") return join_predicates<true>;
  if (name == "or" && type == "pred") return join_predicates<false>;
  if (name == "not" && type == "pred") return one_of<NotPredicate, 1>(type);
  if (name == "and") return one_of<And, 2>(type);
  if (name == "or") return one_of<Or, 2>(type);
  if (name == "xor") return one_of<ExclusiveOr, 2>(type);
  if (name == "not") return one_of<Not, 1>(type);
  if (name == "clz") return one_of<CountLeadingZeros, 1>(type);
  if (name == "popc") return one_of<CountOnes, 1>(type);
  if (name == "sqrt" && has(words, "rn")) return one_of<SquareRoot, 1>(type);
  if (name == "rcp" && has(words, "rn")) return one_of<Reciprocal, 1>(type);
  if (name == "rsqrt") {
    return has(words, "ftz") ? one_of<RoughInverseSquareRoot, 1>(type)
                             : one_of<InverseSquareRoot, 1>(type);
  }
  if (name == "copysign") return one_of<CopySign, 2>(type);
  if (name == "setp") return compare(words);
  if (name == "selp") return choose;
  if (name == "shl") return find_shift<true>(type);
  if (name == "shr") return find_shift<false>(type);
  if (name == "bfi") return type == "b64" ? insert_bits<u64> : insert_bits<u32>;
  if (name == "cvt") return find_convert(words, inst);
  if (name == "mov") {
    inst.bytes = type == "pred" ? 8 : std::stoi(type.substr(1)) / 8;
    return move;
  }
  if (name == "shfl" && words.size() > 3 && words[1] == "sync") {
    inst.kind = Kind::kWarp;
    switch (words[2][0]) {
      case 'u':
        return shuffle<'u'>;
      case 'd':
        return shuffle<'d'>;
      case 'b':
        return shuffle<'b'>;
      default:
        return shuffle<'i'>;
    }
  }
  if (name == "vote" && has(words, "sync") && has(words, "ballot")) {
    inst.kind = Kind::kWarp;
    return ballot;
  }
  if (name == "bar" && words[1] == "warp") {
    inst.kind = Kind::kWarp;
    return nothing;
  }
  if ((name == "bar" || name == "barrier") && words[1] == "sync") {
    inst.kind = Kind::kBlockBarrier;
    return nothing;
  }
  if (name == "barrier" && words[1] == "cluster") {
    if (words[2] == "wait") inst.kind = Kind::kClusterBarrier;
    return nothing;
  }
  if (name == "membar" || name == "fence") return nothing;
  return find_memory_run(words, inst);
}

}  // namespace ptx
