// Whole transforms of a block of lines, in place, with work on the frequencies while they are in
// registers: the tail of a transform, R neighbours at a time.
#pragma once

#include "cpu/engine/passes.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Frequencies p .. p+R-1 of x[begin..end): forward tail, point(p, values), inverse tail. `values`
// is an array of R elements.
template <int R, typename T, typename Point>
SYMBREAK_HD void filter_tail(Element<T>* x, int begin, int end, const Point& point) {
  for (int p = begin; p < end; p += R) {
    Element<T> a[R];
    load_points<R, T>(a, x + p, 1);
    Butterfly<R, Direction::kForward, T>::apply(a);
    point(p, a);
    Butterfly<R, Direction::kInverse, T>::apply(a);
    store_points<R, T>(x + p, 1, a);
  }
}

template <int R, typename T, typename Point>
SYMBREAK_HD void forward_tail(Element<T>* x, int begin, int end, const Point& point) {
  for (int p = begin; p < end; p += R) {
    Element<T> a[R];
    load_points<R, T>(a, x + p, 1);
    Butterfly<R, Direction::kForward, T>::apply(a);
    point(p, a);
  }
}

template <int R, typename T, typename Point>
SYMBREAK_HD void inverse_tail(Element<T>* x, int begin, int end, const Point& point) {
  for (int p = begin; p < end; p += R) {
    Element<T> a[R];
    load_points<R, T>(a, x + p, 1);
    point(p, a);
    Butterfly<R, Direction::kInverse, T>::apply(a);
    store_points<R, T>(x + p, 1, a);
  }
}

// Tails of 7, 11 and 13 are passes of their own: written out in every sweep over frequencies they
// were two thirds of a compiler's work.
constexpr int kLargestFusedTail = 5;

// body.operator()<R>() with R = the tail's radix, 1 where it is a pass of its own.
template <typename T, typename Body>
SYMBREAK_HD void with_tail(const AxisPlan<T>& plan, const Body& body) {
  switch (plan.tail) {
    case 3:
      return body.template operator()<3>();
    case 4:
    case 16:
      return body.template operator()<4>();
    case 5:
      return body.template operator()<5>();
    default:
      return body.template operator()<1>();
  }
}

template <typename T>
SYMBREAK_HD bool has_tail_pass(const AxisPlan<T>& plan) {
  return plan.tail > kLargestFusedTail && plan.tail != 16;
}

// All passes between the first one and with_tail(), and those that follow it.
template <typename T>
SYMBREAK_HD void forward_to_tail(const AxisPlan<T>& plan, Element<T>* section, int length) {
  forward_inner_passes(plan, section, length);
  if (has_tail_pass(plan)) tail_pass<Direction::kForward, T>(plan.tail, section, length);
}

template <typename T>
SYMBREAK_HD void inverse_from_tail(const AxisPlan<T>& plan, Element<T>* section, int length) {
  if (has_tail_pass(plan)) tail_pass<Direction::kInverse, T>(plan.tail, section, length);
  inverse_inner_passes(plan, section, length);
}

// x = F^-1 (point F x).
template <typename T, typename Point>
SYMBREAK_HD void filter_lines(const AxisPlan<T>& plan, Element<T>* x, const Point& point) {
  const int length = plan.length, section = section_length(plan);
  forward_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
  for (int start = 0; start < length; start += section) {
    forward_to_tail(plan, x + start, section);
    with_tail(plan, [&]<int R>() __attribute__((always_inline)) {
      filter_tail<R, T>(x, start, start + section, point);
    });
    inverse_from_tail(plan, x + start, section);
  }
  inverse_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
}

// point(p, values) on the frequencies of x, which are stored nowhere else; destroys x.
template <typename T, typename Point>
SYMBREAK_HD void forward_lines(const AxisPlan<T>& plan, Element<T>* x, const Point& point) {
  const int length = plan.length, section = section_length(plan);
  forward_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
  for (int start = 0; start < length; start += section) {
    forward_to_tail(plan, x + start, section);
    with_tail(plan, [&]<int R>() __attribute__((always_inline)) {
      forward_tail<R, T>(x, start, start + section, point);
    });
  }
}

// x = F^-1 point(x), not normalised.
template <typename T, typename Point>
SYMBREAK_HD void inverse_lines(const AxisPlan<T>& plan, Element<T>* x, const Point& point) {
  const int length = plan.length, section = section_length(plan);
  for (int start = 0; start < length; start += section) {
    with_tail(plan, [&]<int R>() __attribute__((always_inline)) {
      inverse_tail<R, T>(x, start, start + section, point);
    });
    inverse_from_tail(plan, x + start, section);
  }
  inverse_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
