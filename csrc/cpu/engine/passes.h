// Passes of a transform over a block of lines that sits in the first-level cache, one line a lane.
//
// Radix 4 is the best on AVX2: a butterfly just fits 16 registers and runs at 10 clocks where
// additions and stores allow 8. Radix 8 and 16, half of them spilled, were measured slower per
// level with twiddles from a table (36 and 88 clocks for 8 and 16 points).
#pragma once

#include "common/fft_odd.h"
#include "cpu/engine/plan.h"
#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// values[k] = x[k stride], and back.
template <int R, typename T>
SYMBREAK_HD void load_points(Element<T>* values, const Element<T>* x, int stride) {
  SYMBREAK_UNROLL for (int k = 0; k < R; ++k) values[k] = held(x[k * stride]);
}

template <int R, typename T>
SYMBREAK_HD void store_points(Element<T>* x, int stride, const Element<T>* values) {
  SYMBREAK_UNROLL for (int k = 0; k < R; ++k) x[k * stride] = values[k];
}

// values[k] times w^{jk}; `twiddles` points to the entries of this j.
template <int R, Direction D, typename T>
SYMBREAK_HD void apply_twiddles(Element<T>* values, const T* twiddles) {
  SYMBREAK_UNROLL for (int k = 1; k < R; ++k) {
    values[k] = rotate<D>(values[k], twiddles[2 * k - 2], twiddles[2 * k - 1]);
  }
}

// One pass over `length` points in blocks of n.
template <int R, typename T>
__attribute__((noinline)) void forward_pass(Element<T>* x, int length, int n, const T* twiddles) {
  const int stride = n / R;
  for (Element<T>* block = x; block < x + length; block += n) {
    const T* w = twiddles;
    for (int j = 0; j < stride; ++j, w += 2 * (R - 1)) {
      Element<T> a[R];
      load_points<R, T>(a, block + j, stride);
      Butterfly<R, Direction::kForward, T>::apply(a);
      apply_twiddles<R, Direction::kForward, T>(a, w);
      store_points<R, T>(block + j, stride, a);
    }
  }
}

template <int R, typename T>
__attribute__((noinline)) void inverse_pass(Element<T>* x, int length, int n, const T* twiddles) {
  const int stride = n / R;
  for (Element<T>* block = x; block < x + length; block += n) {
    const T* w = twiddles;
    for (int j = 0; j < stride; ++j, w += 2 * (R - 1)) {
      Element<T> a[R];
      load_points<R, T>(a, block + j, stride);
      apply_twiddles<R, Direction::kInverse, T>(a, w);
      Butterfly<R, Direction::kInverse, T>::apply(a);
      store_points<R, T>(block + j, stride, a);
    }
  }
}

// body.operator()<R>() with R = radix.
template <typename Body>
SYMBREAK_HD void with_radix(int radix, const Body& body) {
  switch (radix) {
    case 2:
      return body.template operator()<2>();
    case 3:
      return body.template operator()<3>();
    case 5:
      return body.template operator()<5>();
    case 7:
      return body.template operator()<7>();
    case 11:
      return body.template operator()<11>();
    case 13:
      return body.template operator()<13>();
    default:
      return body.template operator()<4>();
  }
}

template <typename T>
SYMBREAK_HD void forward_pass(int radix, Element<T>* x, int length, int n, const T* twiddles) {
  with_radix(radix, [=]<int R>() __attribute__((always_inline)) {
    forward_pass<R, T>(x, length, n, twiddles);
  });
}

template <typename T>
SYMBREAK_HD void inverse_pass(int radix, Element<T>* x, int length, int n, const T* twiddles) {
  with_radix(radix, [=]<int R>() __attribute__((always_inline)) {
    inverse_pass<R, T>(x, length, n, twiddles);
  });
}

// values[k] times w^{jk} for 16 points, j and k < 4; every angle is known at compile time.
template <int J, Direction D, typename T>
SYMBREAK_HD void apply_twiddles_16(Element<T>* values) {
  constexpr T kCos = T(0.92387953251128675613), kSin = T(0.38268343236508977173);
  constexpr T kRoot = T(0.70710678118654752440);
  if constexpr (J == 1) {
    values[1] = rotate<D>(values[1], kCos, kSin);
    values[2] = rotate<D>(values[2], kRoot, kRoot);
    values[3] = rotate<D>(values[3], kSin, kCos);
  } else if constexpr (J == 2) {
    values[1] = rotate<D>(values[1], kRoot, kRoot);
    values[2] = quarter<D>(values[2]);
    values[3] = rotate<D>(values[3], -kRoot, kRoot);
  } else if constexpr (J == 3) {
    values[1] = rotate<D>(values[1], kSin, kCos);
    values[2] = rotate<D>(values[2], -kRoot, kRoot);
    values[3] = rotate<D>(values[3], -kCos, -kSin);
  }
}

// One radix-4 butterfly of a pass over 16 points, with constants instead of a table: a quarter
// fewer instructions than in forward_pass.
template <int J, Direction D, typename T>
SYMBREAK_HD void butterfly_16(Element<T>* x) {
  Element<T> a[4];
  load_points<4, T>(a, x + J, 4);
  if constexpr (D == Direction::kInverse) apply_twiddles_16<J, D, T>(a);
  Butterfly<4, D, T>::apply(a);
  if constexpr (D == Direction::kForward) apply_twiddles_16<J, D, T>(a);
  store_points<4, T>(x + J, 4, a);
}

// The wide one of the two passes over blocks of 16 points; the caller does the narrow one, for all
// blocks at once: block by block, each pass would wait for the results of the one before.
template <Direction D, typename T>
SYMBREAK_HD void wide_pass_16(Element<T>* x, int length) {
  for (Element<T>* block = x; block < x + length; block += 16) {
    butterfly_16<0, D, T>(block);
    butterfly_16<1, D, T>(block);
    butterfly_16<2, D, T>(block);
    butterfly_16<3, D, T>(block);
  }
}

// How much of a line goes through the passes after the first one together: all of it where that
// leaves half of a first-level cache free (long loops overlap better), else one of the radix[0]
// sub-blocks that are independent by then.
template <typename T>
SYMBREAK_HD int section_length(const AxisPlan<T>& plan) {
  constexpr int kCached = 16384 / int(sizeof(Element<T>));
  return plan.length <= kCached ? plan.length : plan.length / plan.radix[0];
}

// All passes between the first and the last over one section.
template <typename T>
SYMBREAK_HD void forward_inner_passes(const AxisPlan<T>& plan, Element<T>* section, int length) {
  int n = plan.length / plan.radix[0];
  for (int pass = 1; pass < plan.passes; ++pass) {
    forward_pass<T>(plan.radix[pass], section, length, n, plan.twiddles[pass]);
    n /= plan.radix[pass];
  }
  if (plan.tail == 16) wide_pass_16<Direction::kForward, T>(section, length);
}

template <typename T>
SYMBREAK_HD void inverse_inner_passes(const AxisPlan<T>& plan, Element<T>* section, int length) {
  if (plan.tail == 16) wide_pass_16<Direction::kInverse, T>(section, length);
  int n = plan.tail;
  for (int pass = plan.passes - 1; pass >= 1; --pass) {
    n *= plan.radix[pass];
    inverse_pass<T>(plan.radix[pass], section, length, n, plan.twiddles[pass]);
  }
}

// The last pass forward and the first one inverse, which have no twiddles.
template <int R, Direction D, typename T>
__attribute__((noinline)) void tail_pass(Element<T>* x, int length) {
  for (Element<T>* block = x; block < x + length; block += R) {
    Element<T> a[R];
    load_points<R, T>(a, block, 1);
    Butterfly<R, D, T>::apply(a);
    store_points<R, T>(block, 1, a);
  }
}

template <Direction D, typename T>
SYMBREAK_HD void tail_pass(int radix, Element<T>* x, int length) {
  with_radix(radix, [=]<int R>() __attribute__((always_inline)) { tail_pass<R, D, T>(x, length); });
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
