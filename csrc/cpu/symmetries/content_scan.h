// One look at an object: where it is not black, and its largest component.
#pragma once

#include <cstring>

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// A number without its sign, as an integer of the same order; infinity and NaN are the largest.
template <typename T>
using Bits = Mask<T>;
template <typename T>
using BitsOfOne = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;

template <typename T>
SYMBREAK_HD Bits<T> magnitude_bits(const T* x) {
  constexpr BitsOfOne<T> kSign = BitsOfOne<T>(1) << (8 * sizeof(T) - 1);
  Bits<T> bits;
  std::memcpy(&bits, x, sizeof(bits));
  return bits & ~kSign;
}

template <typename T>
SYMBREAK_HD BitsOfOne<T> magnitude_bits_of_one(const T* x) {
  BitsOfOne<T> bits;
  std::memcpy(&bits, x, sizeof(bits));
  return bits & ~(BitsOfOne<T>(1) << (8 * sizeof(T) - 1));
}

template <typename T>
SYMBREAK_HD Bits<T> larger_bits(const Bits<T>& a, const Bits<T>& b) {
  return a > b ? a : b;
}

// `Rows` rows from x on, together so that the columns are read and written once for all of them.
template <int Rows, typename T>
SYMBREAK_HD void scan_rows(const T* x, int64_t width, char* occupied, BitsOfOne<T>* columns,
                           Bits<T>& peak, BitsOfOne<T>& last_peak) {
  constexpr int W = kLanes<T>;
  Bits<T> any[Rows] = {};
  int64_t i = 0;
  for (; i + W <= width; i += W) {
    Bits<T> column;
    std::memcpy(&column, columns + i, sizeof(column));
    SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
      const Bits<T> value = magnitude_bits(x + row * width + i);
      any[row] |= value;
      column |= value;
      peak = larger_bits<T>(peak, value);
    }
    std::memcpy(columns + i, &column, sizeof(column));
  }
  for (int row = 0; row < Rows; ++row) {
    BitsOfOne<T> bits = 0;
    for (int lane = 0; lane < W; ++lane) bits |= any[row][lane];
    for (int64_t rest = i; rest < width; ++rest) {
      const BitsOfOne<T> value = magnitude_bits_of_one(x + row * width + rest);
      columns[rest] |= value;
      bits |= value;
      last_peak = value > last_peak ? value : last_peak;
    }
    occupied[row] = bits != 0;
  }
}

template <typename T>
T scan_content(const T* x, int64_t rows, int64_t width, char* occupied, void* columns) {
  BitsOfOne<T>* bits = static_cast<BitsOfOne<T>*>(columns);
  Bits<T> peak = {};
  BitsOfOne<T> largest = 0;
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    scan_rows<4>(x + row * width, width, occupied + row, bits, peak, largest);
  }
  for (; row < rows; ++row) {
    scan_rows<1>(x + row * width, width, occupied + row, bits, peak, largest);
  }
  for (int lane = 0; lane < kLanes<T>; ++lane) {
    largest = peak[lane] > largest ? peak[lane] : largest;
  }
  T result;
  std::memcpy(&result, &largest, sizeof(result));
  return result;
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
