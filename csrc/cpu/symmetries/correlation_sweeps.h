// From the row transforms of two objects to their correlations: columns there and back with the
// products between, then rows back with the largest power of each row in the last pass.
#pragma once

#include "cpu/engine/outer_sweeps.h"
#include "cpu/engine/row_access.h"
#include "cpu/simd_math.h"
#include "cpu/symmetries/first_pass.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// (e, r) -> (conj(e) r, e r)
template <typename T>
SYMBREAK_HD void both_products(Element<T>& e, Element<T>& r) {
  const Vector<T> ac = e.re * r.re, bd = e.im * r.im, ad = e.re * r.im, bc = e.im * r.re;
  e = {ac + bd, ad - bc};
  r = {ac - bd, ad + bc};
}

// Both spectra are digit-reversed in the same way, so their products are too.
template <typename T>
void correlate_columns(const Image<T>& image, const int* rows, int begin, int end) {
  const AxisPlan<T>& plan = image.along_columns;
  const int length = plan.length, section = section_length(plan);
  for (int block = begin; block < end; ++block) {
    Element<T>* e = column_block(image, image.state, block);
    Element<T>* r = column_block(image, image.second, block);
    first_pass(plan, e, rows[0]);
    first_pass(plan, r, rows[1]);
    for (int start = 0; start < length; start += section) {
      forward_inner_passes(plan, e + start, section);
      forward_inner_passes(plan, r + start, section);
      for (int p = start; p < start + section; p += 4) {
        Element<T> a[4], b[4];
        load_points<4, T>(a, e + p, 1);
        Butterfly<4, Direction::kForward, T>::apply(a);
        load_points<4, T>(b, r + p, 1);
        Butterfly<4, Direction::kForward, T>::apply(b);
        SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) both_products<T>(a[k], b[k]);
        Butterfly<4, Direction::kInverse, T>::apply(a);
        store_points<4, T>(e + p, 1, a);
        Butterfly<4, Direction::kInverse, T>::apply(b);
        store_points<4, T>(r + p, 1, b);
      }
      inverse_inner_passes(plan, e + start, section);
      inverse_inner_passes(plan, r + start, section);
    }
    inverse_pass<T>(plan.radix[0], e, length, length, plan.twiddles[0]);
    inverse_pass<T>(plan.radix[0], r, length, length, plan.twiddles[0]);
  }
}

template <typename T>
SYMBREAK_HD Vector<T> power_of(const Element<T>& value) {
  return value.re * value.re + value.im * value.im;
}

// The last pass of an inverse transform, of which only the largest power of each lane is kept.
template <int R, typename T>
__attribute__((noinline)) void peak_pass(const AxisPlan<T>& plan, const Element<T>* line,
                                         T* peaks) {
  const int stride = plan.length / R;
  const T* w = plan.twiddles[0];
  Vector<T> peak = {};
  for (int j = 0; j < stride; ++j, w += 2 * (R - 1)) {
    Element<T> a[R];
    load_points<R, T>(a, line + j, stride);
    apply_twiddles<R, Direction::kInverse, T>(a, w);
    Butterfly<R, Direction::kInverse, T>::apply(a);
    SYMBREAK_UNROLL for (int k = 0; k < R; ++k) peak = SimdMath::larger(peak, power_of<T>(a[k]));
  }
  as_vector(peaks) = peak;
}

template <typename T>
void row_peaks(const Image<T>& image, T* state, T* peaks, T* scratch, int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  const auto last_pass = plan.radix[0] == 2   ? peak_pass<2, T>
                         : plan.radix[0] == 3 ? peak_pass<3, T>
                         : plan.radix[0] == 5 ? peak_pass<5, T>
                                              : peak_pass<4, T>;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, state, block, line);
    last_pass(plan, line, peaks + block * kLanes<T>);
  }
}

template <typename T>
void row_powers(const Image<T>& image, T* state, T* powers, T* scratch, int block) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  gather_rows(image, state, block, line);
  inverse_pass<T>(plan.radix[0], line, plan.length, plan.length, plan.twiddles[0]);
  for (int column = 0; column < plan.length; ++column) {
    as_vector(powers + column * kLanes<T>) = power_of<T>(line[column]);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
