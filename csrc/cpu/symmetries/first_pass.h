// The first pass of a forward transform of a line that is black from some point on.
#pragma once

#include "cpu/engine/passes.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// y_k = sum of the first Live terms of the butterfly.
template <int R, int Live, typename T>
SYMBREAK_HD void pruned_butterfly(Element<T>* a) {
  if constexpr (Live == 1) {
    SYMBREAK_UNROLL for (int k = 1; k < R; ++k) a[k] = a[0];
  } else if constexpr (R == 4 && Live == 2) {
    const Element<T> x = a[0], y = a[1], turned = quarter<Direction::kForward>(y);
    a[0] = x + y;
    a[1] = x + turned;
    a[2] = x - y;
    a[3] = x - turned;
  } else {
    Butterfly<R, Direction::kForward, T>::apply(a);
  }
}

// The butterflies [begin, end), whose inputs k >= Live are black and not read.
template <int R, int Live, typename T>
__attribute__((noinline)) void pruned_pass(Element<T>* x, int stride, int begin, int end,
                                           const T* twiddles) {
  const T* w = twiddles + 2 * (R - 1) * begin;
  for (int j = begin; j < end; ++j, w += 2 * (R - 1)) {
    Element<T> a[R] = {};
    if constexpr (Live > 0) {
      load_points<Live, T>(a, x + j, stride);
      pruned_butterfly<R, Live, T>(a);
      apply_twiddles<R, Direction::kForward, T>(a, w);
    }
    store_points<R, T>(x + j, stride, a);
  }
}

template <int R, int Live, typename T>
SYMBREAK_HD void pruned_pass(int live, Element<T>* x, int stride, int begin, int end,
                             const T* twiddles) {
  if (live == Live) {
    pruned_pass<R, Live, T>(x, stride, begin, end, twiddles);
  } else if constexpr (Live < R) {
    pruned_pass<R, Live + 1, T>(live, x, stride, begin, end, twiddles);
  }
}

// Butterfly j reads the points j + k stride < live: one more of them for the first butterflies.
template <int R, typename T>
SYMBREAK_HD void first_pass(const AxisPlan<T>& plan, Element<T>* x, int live) {
  const int stride = plan.length / R, split = live % stride;
  pruned_pass<R, 0, T>(live / stride + 1, x, stride, 0, split, plan.twiddles[0]);
  pruned_pass<R, 0, T>(live / stride, x, stride, split, stride, plan.twiddles[0]);
}

// The first pass over a line of which only the points before `live` are read.
template <typename T>
SYMBREAK_HD void first_pass(const AxisPlan<T>& plan, Element<T>* x, int live) {
  switch (plan.radix[0]) {
    case 2:
      return first_pass<2, T>(plan, x, live);
    case 3:
      return first_pass<3, T>(plan, x, live);
    case 5:
      return first_pass<5, T>(plan, x, live);
    default:
      return first_pass<4, T>(plan, x, live);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
