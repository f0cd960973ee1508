// The value of a given rank, for supports that keep a fraction of the pixels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/ordered_bits.h"

namespace symbreak {

// The n-th largest of `count` values, 1 <= n <= count, by counting digits of the bit patterns from
// the highest on: three passes for float, the later ones over few candidates. NaNs have no rank.
template <typename T>
T nth_largest(const T* values, int64_t count, int64_t n) {
  using Bits = OrderedBits<T>;
  constexpr int kBits = 8 * sizeof(Bits), kDigit = 11;
  Bits prefix = 0, known = 0;
  for (int high = kBits; high > 0; high -= kDigit) {
    const int shift = std::max(high - kDigit, 0);
    const Bits mask = (Bits{1} << (high - shift)) - 1;
    int64_t histogram[1 << kDigit] = {};
    for (int64_t i = 0; i < count; ++i) {
      const Bits bits = ordered_bits(values[i]);
      if ((bits & known) == prefix) ++histogram[bits >> shift & mask];
    }
    Bits digit = mask;
    for (; digit > 0 && n > histogram[digit]; --digit) n -= histogram[digit];
    prefix |= digit << shift;
    known |= mask << shift;
  }
  return from_ordered_bits<T>(prefix);
}

}  // namespace symbreak
