// A run of pixels copied under a phase and the conjugate flip.
#pragma once

#include <cstring>

#include "cpu/symmetries/pixels.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Calls change(vector) for all pixels, the last ones in a vector that is black after them. Flipped,
// x is read backwards from its first pixel.
template <bool Flipped, typename T, typename Change>
SYMBREAK_HD void copy_pixels(const T* x, T* y, int64_t count, const Change& change) {
  constexpr int kPixels = kLanes<T> / 2;
  int64_t i = 0;
  for (; i + kPixels <= count; i += kPixels) {
    Vector<T> v;
    std::memcpy(&v, Flipped ? x - 2 * (i + kPixels - 1) : x + 2 * i, sizeof(v));
    if constexpr (Flipped) v = reverse_pixels<T>(v);
    v = change(v);
    std::memcpy(y + 2 * i, &v, sizeof(v));
  }
  if (i == count) return;
  Vector<T> v = {};
  for (int k = 0; k < count - i; ++k) {
    const T* pixel = Flipped ? x - 2 * (i + k) : x + 2 * (i + k);
    v[2 * k] = pixel[0];
    v[2 * k + 1] = pixel[1];
  }
  v = change(v);
  for (int k = 0; k < 2 * (count - i); ++k) y[2 * i + k] = v[k];
}

template <bool Flipped, typename T>
SYMBREAK_HD void turn_pixels(const T* x, T* y, int64_t count, T c, T s) {
  const Turn<Flipped, T> turn(c, s);
  copy_pixels<Flipped>(
      x, y, count, [turn](const Vector<T>& v) __attribute__((always_inline)) { return turn(v); });
}

template <typename T>
void turned_row(const T* x, T* y, int64_t count, bool flipped, T c, T s) {
  if (!flipped) {
    turn_pixels<false>(x, y, count, c, s);
  } else if (c != T(1) || s != T(0)) {
    turn_pixels<true>(x, y, count, c, s);
  } else {  // bits are copied: no product, that could make a NaN of an infinity
    Vector<T> sign = {};
    for (int lane = 1; lane < kLanes<T>; lane += 2) sign[lane] = T(-0.0);
    copy_pixels<true>(x, y, count, [sign](const Vector<T>& v) __attribute__((always_inline)) {
      return Vector<T>(Mask<T>(v) ^ Mask<T>(sign));
    });
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
