// The value of a given rank, for supports that keep a fraction of the pixels.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/ordered_bits.h"

namespace symbreak {

// Finds the n-th largest of some values by the digits of their bit patterns, the highest digit
// first: three rounds for float, six for double. In each, count() goes over all values, in pieces
// and on several threads if there are several histograms; then narrow() settles a digit by their
// sum. NaNs have no rank.
template <typename T>
class RankSearch {
 public:
  static constexpr int kDigit = 11, kBins = 1 << kDigit;

  explicit RankSearch(int64_t n) : n_(n) {}

  bool finished() const { return high_ == 0; }

  void count(const T* values, int64_t count, int64_t* histogram) const {
    const Bits mask = digit_mask();
    const int shift = low();
    for (int64_t i = 0; i < count; ++i) {
      const Bits bits = ordered_bits(values[i]);
      if ((bits & known_) == prefix_) ++histogram[bits >> shift & mask];
    }
  }

  // histograms: [members][kBins]
  void narrow(const int64_t* histograms, int members) {
    const Bits mask = digit_mask();
    Bits digit = mask;
    for (;; --digit) {
      int64_t here = 0;
      for (int i = 0; i < members; ++i) here += histograms[int64_t{i} * kBins + int64_t(digit)];
      if (digit == 0 || n_ <= here) break;
      n_ -= here;
    }
    prefix_ |= digit << low();
    known_ |= mask << low();
    high_ = low();
  }

  T value() const { return from_ordered_bits<T>(prefix_); }

 private:
  using Bits = OrderedBits<T>;
  static constexpr int kBits = 8 * sizeof(Bits);

  int low() const { return std::max(high_ - kDigit, 0); }
  Bits digit_mask() const { return (Bits{1} << (high_ - low())) - 1; }

  int64_t n_;  // rank among the values that agree with prefix_ in the known bits
  Bits prefix_ = 0, known_ = 0;
  int high_ = kBits;
};

}  // namespace symbreak
