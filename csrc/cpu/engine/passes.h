// Passes of a transform over a block of lines that sits in the first-level cache, one line a lane.
//
// Radix 4 is the best on AVX2: a butterfly with its twiddles just fits 16 registers and runs at
// 10 clocks where additions and stores allow 8. Radix 8 with spilled halves needs 12 a level pair
// more, and is used once where the length is an odd power of two.
#pragma once

#include "../simd.h"
#include "plan.h"

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

template <typename T>
SYMBREAK_HD void forward_pass(int radix, Element<T>* x, int length, int n, const T* twiddles) {
  switch (radix) {
    case 2:
      return forward_pass<2, T>(x, length, n, twiddles);
    case 3:
      return forward_pass<3, T>(x, length, n, twiddles);
    case 5:
      return forward_pass<5, T>(x, length, n, twiddles);
    case 8:
      return forward_pass<8, T>(x, length, n, twiddles);
    default:
      return forward_pass<4, T>(x, length, n, twiddles);
  }
}

template <typename T>
SYMBREAK_HD void inverse_pass(int radix, Element<T>* x, int length, int n, const T* twiddles) {
  switch (radix) {
    case 2:
      return inverse_pass<2, T>(x, length, n, twiddles);
    case 3:
      return inverse_pass<3, T>(x, length, n, twiddles);
    case 5:
      return inverse_pass<5, T>(x, length, n, twiddles);
    case 8:
      return inverse_pass<8, T>(x, length, n, twiddles);
    default:
      return inverse_pass<4, T>(x, length, n, twiddles);
  }
}

// All passes between the first and the last, over one of the radix[0] sub-blocks that the first
// pass leaves independent: a sub-block stays in the first-level cache even where a line does not.
template <typename T>
SYMBREAK_HD void forward_inner_passes(const AxisPlan<T>& plan, Element<T>* sub) {
  const int length = plan.length / plan.radix[0];
  int n = length;
  for (int pass = 1; pass < plan.passes - 1; ++pass) {
    forward_pass<T>(plan.radix[pass], sub, length, n, plan.twiddles[pass]);
    n /= plan.radix[pass];
  }
}

template <typename T>
SYMBREAK_HD void inverse_inner_passes(const AxisPlan<T>& plan, Element<T>* sub) {
  const int length = plan.length / plan.radix[0];
  int n = 4;
  for (int pass = plan.passes - 2; pass >= 1; --pass) {
    n *= plan.radix[pass];
    inverse_pass<T>(plan.radix[pass], sub, length, n, plan.twiddles[pass]);
  }
}

// x = F^-1 (point F x) for a block of lines: point(p, values) changes the four frequencies at
// positions p..p+3 while they are in registers.
template <typename T, typename Point>
SYMBREAK_HD void filter_lines(const AxisPlan<T>& plan, Element<T>* x, const Point& point) {
  const int length = plan.length, sub_length = length / plan.radix[0];
  forward_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
  for (int start = 0; start < length; start += sub_length) {
    forward_inner_passes(plan, x + start);
    for (int p = start; p < start + sub_length; p += 4) {
      Element<T> a[4];
      load_points<4, T>(a, x + p, 1);
      Butterfly<4, Direction::kForward, T>::apply(a);
      point(p, a);
      Butterfly<4, Direction::kInverse, T>::apply(a);
      store_points<4, T>(x + p, 1, a);
    }
    inverse_inner_passes(plan, x + start);
  }
  inverse_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
