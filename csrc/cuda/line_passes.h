// One pass of a line's FFT for one thread: R points in registers, from anywhere to anywhere.
#pragma once

#include "cuda/axis.h"
#include "cuda/device_math.h"

namespace symbreak {

// Twiddle factors of a first pass in the order [offset][k], loaded in pairs.
template <typename T>
struct PairedTwiddles {
  struct alignas(4 * sizeof(T)) Pair {
    Pixel<T> even, odd;
  };
  const Pair* pairs;
};

// Item `i` of pass s: the points base + j stride, j < R_s, which one butterfly takes.
template <class Axis, int kPass>
struct Item {
  static constexpr int kRadix = Axis::kRadix[kPass], kStride = Axis::stride(kPass);
  static constexpr int kCount = Axis::kLength / kRadix;  // items of a line
  int offset, base;

  SYMBREAK_DEVICE explicit Item(int i)
      : offset(i % kStride), base(i / kStride * Axis::block(kPass) + offset) {}
  SYMBREAK_DEVICE int position(int j) const { return base + j * kStride; }

  // Turns point k by its twiddle factor; the last pass needs none.
  template <Direction D, typename T>
  SYMBREAK_DEVICE void turn(Complex<T> (&v)[kRadix], const Pixel<T>* twiddles) const {
    if constexpr (kPass + 1 < Axis::kPasses) {
      SYMBREAK_UNROLL for (int k = 1; k < kRadix; ++k) {
        const Pixel<T> w = twiddles[Axis::twiddle_offset(kPass) + k * kStride + offset];
        v[k] = rotate<D>(v[k], w.re, w.im);
      }
    }
  }

  template <Direction D, typename T>
  SYMBREAK_DEVICE void turn(Complex<T> (&v)[kRadix], const PairedTwiddles<T>& twiddles) const {
    static_assert(kPass == 0 && kRadix % 2 == 0);
    SYMBREAK_UNROLL for (int k = 0; k < kRadix; k += 2) {
      const auto w = twiddles.pairs[(offset * kRadix + k) / 2];
      if (k > 0) v[k] = rotate<D>(v[k], w.even.re, w.even.im);
      v[k + 1] = rotate<D>(v[k + 1], w.odd.re, w.odd.im);
    }
  }

  template <typename T, typename Twiddles>
  SYMBREAK_DEVICE void forward(Complex<T> (&v)[kRadix], const Twiddles& twiddles) const {
    Butterfly<kRadix, Direction::kForward, T>::apply(v);
    turn<Direction::kForward>(v, twiddles);
  }
  template <typename T, typename Twiddles>
  SYMBREAK_DEVICE void inverse(Complex<T> (&v)[kRadix], const Twiddles& twiddles) const {
    turn<Direction::kInverse>(v, twiddles);
    Butterfly<kRadix, Direction::kInverse, T>::apply(v);
  }
};

// The passes between the first and the last on `lines` lines in shared memory; tile.at(line, item)
// are an item's points. kLinesFirst: neighbouring threads take neighbouring lines, else
// neighbouring items.
template <class Axis, Direction D, int kThreads, bool kLinesFirst, typename T, typename Tile>
SYMBREAK_DEVICE void middle_pass(const Tile& tile, int lines, const Pixel<T>* twiddles) {
  if constexpr (Axis::kPasses == 3) {
    using Middle = Item<Axis, 1>;
    for (int i = threadIdx.x; i < lines * Middle::kCount; i += kThreads) {
      const int line = kLinesFirst ? i % lines : i / Middle::kCount;
      const Middle item(kLinesFirst ? i / lines : i % Middle::kCount);
      const auto points = tile.at(line, item);
      Complex<T> v[Middle::kRadix];
      SYMBREAK_UNROLL for (int j = 0; j < Middle::kRadix; ++j) v[j] = to_complex(points[j]);
      if constexpr (D == Direction::kForward) {
        item.forward(v, twiddles);
      } else {
        item.inverse(v, twiddles);
      }
      SYMBREAK_UNROLL for (int j = 0; j < Middle::kRadix; ++j) points[j] = to_pixel(v[j]);
    }
    __syncthreads();
  }
  static_assert(Axis::kPasses == 2 || Axis::kPasses == 3);
}

}  // namespace symbreak
