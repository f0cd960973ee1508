// The box of an object's content: what counts as content, the extent of it, the shift that centres.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "common/host_device.h"
#include "common/symmetry.h"

namespace symbreak {

enum class Content { kSome, kNone, kNonFinite };

// [lo, hi) on each axis; on a periodic axis hi may pass the size, and the content then crosses the
// edge. Without finite content: the empty box at 0.
struct Box {
  int64_t lo[3] = {0, 0, 0};
  int64_t hi[3] = {0, 0, 0};
  Content content = Content::kNone;
  double peak = 0;  // the largest |component|; infinity or NaN where there is one
};

// The absolute value of an IEEE number as an integer of the same order: zero is 0, infinity and NaN
// are the largest, and a maximum over it is vectorised without asking what NaN compares to.
template <typename T>
struct Magnitude;
template <>
struct Magnitude<float> {
  using Int = int32_t;
  static constexpr Int kMask = 0x7fffffff, kInfinity = 0x7f800000;
};
template <>
struct Magnitude<double> {
  using Int = int64_t;
  static constexpr Int kMask = 0x7fffffffffffffff, kInfinity = 0x7ff0000000000000;
};
template <typename T>
SYMBREAK_HD typename Magnitude<T>::Int magnitude(T value) {
  using M = Magnitude<T>;
  return std::bit_cast<typename M::Int>(value) & M::kMask;
}

// |re + i im| without overflow or underflow.
SYMBREAK_HD double modulus(float re, float im) {
  return sqrt(double(re) * double(re) + double(im) * double(im));
}
SYMBREAK_HD double modulus(double re, double im) { return hypot(re, im); }

// The power of two that brings a peak to [1, 2): multiplying by it is exact, and keeps the products
// of a search in range.
SYMBREAK_HD double scale_to_one(double peak) {
  const int exponent = -ilogb(peak);
  return ldexp(1.0, exponent < 1000 ? exponent : 1000);
}

// [lo, hi) of the occupied indices, [size, 0) where there are none. On a periodic axis the extent
// is what the longest black run leaves (the first one of equals).
template <typename Flag>
SYMBREAK_HD void find_extent(const Flag* occupied, int64_t size, bool wrap, int64_t* lo,
                             int64_t* hi) {
  int64_t first = 0, last = size - 1;
  while (first < size && !occupied[first]) ++first;
  while (last >= 0 && !occupied[last]) --last;
  *lo = first;
  *hi = last + 1;
  if (!wrap || last < first) return;
  int64_t longest = size - (last - first + 1), previous = first;
  for (int64_t i = first + 1; i <= last; ++i) {
    if (!occupied[i]) continue;
    if (i - previous - 1 > longest) {
      longest = i - previous - 1;
      *lo = i;
      *hi = previous + 1 + size;
    }
    previous = i;
  }
}

// The shift that centres a box: it then starts at (N - extent) // 2.
SYMBREAK_HD int64_t centring_shift(int64_t lo, int64_t hi, int64_t size, bool wrap) {
  if (hi <= lo) return 0;
  const int64_t shift = (size - (hi - lo)) / 2 - lo;
  if (!wrap) return shift;
  const int64_t turned = wrapped(shift, size);  // the shorter way around
  return 2 * turned > size ? turned - size : turned;
}

}  // namespace symbreak
