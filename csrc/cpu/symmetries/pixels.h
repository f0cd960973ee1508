// Vectors of pixels, real and imaginary parts in turn.
#pragma once

#include <utility>

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// (a b c d ...) -> (b a d c ...): real and imaginary parts change places.
template <typename T>
SYMBREAK_HD Vector<T> swap_parts(const Vector<T>& v) {
  return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(v, v, (I ^ 1)...);
  }(std::make_integer_sequence<int, kLanes<T>>());
}

// The pixels in reverse order.
template <typename T>
SYMBREAK_HD Vector<T> reverse_pixels(const Vector<T>& v) {
  return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(v, v, (kLanes<T> - 2 - I + 2 * (I & 1))...);
  }(std::make_integer_sequence<int, kLanes<T>>());
}

// turn C^f x = straight x + crossed (parts of x swapped), element by element, with
//   turn x = (c a - s b) + i(c b + s a) and turn conj(x) = (c a + s b) + i(s a - c b).
template <bool Flipped, typename T>
struct Turn {
  SYMBREAK_HD Turn(T c, T s) {
    for (int lane = 0; lane < kLanes<T>; ++lane) {
      const bool imaginary = lane % 2 == 1;
      straight[lane] = Flipped && imaginary ? -c : c;
      crossed[lane] = Flipped || imaginary ? s : -s;
    }
  }
  SYMBREAK_HD Vector<T> operator()(const Vector<T>& x) const {
    return straight * x + crossed * swap_parts<T>(x);
  }

  Vector<T> straight, crossed;
};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
