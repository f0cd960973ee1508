// Sweeps along axis 1: inverse transform, real-space update, transform, a block of rows at a time.
#pragma once

#include "common/projections.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/lines.h"
#include "cpu/engine/row_access.h"
#include "cpu/simd_math.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
SYMBREAK_HD Element<T>* iterate_rows(const Image<T>& image, int block) {
  return reinterpret_cast<Element<T>*>(image.iterate) + int64_t{block} * image.padded_columns;
}

template <typename T>
SYMBREAK_HD const int8_t* mask_rows(const Image<T>& image, int block) {
  return image.mask + int64_t{block} * image.padded_columns * kLanes<T>;
}

// What happens outside the support: ER sets zero and needs no x, HIO adds to x, RAAR mixes.
enum class Outside { kZero, kAdd, kMix };

// The first radix of both transforms and the update between them, so that the line is read and
// written once for the three.
template <int R, Outside Rule, typename T>
__attribute__((noinline)) void update_line(const AxisPlan<T>& plan, Element<T>* line,
                                           Element<T>* iterate, const int8_t* mask, T keep,
                                           T project) {
  constexpr int W = kLanes<T>;
  const int stride = plan.length / R;
  const T* w = plan.twiddles[0];
  for (int j = 0; j < stride; ++j, w += 2 * (R - 1)) {
    Element<T> a[R];
    load_points<R, T>(a, line + j, stride);
    apply_twiddles<R, Direction::kInverse, T>(a, w);
    Butterfly<R, Direction::kInverse, T>::apply(a);
    SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
      const int column = j + k * stride;
      const Mask<T> inside = load_mask<T>(mask + column * W);
      Element<T> outside = {};
      if constexpr (Rule != Outside::kZero) {
        outside = feed_back<Rule == Outside::kMix>(a[k], iterate[column], keep, project);
      }
      a[k] = {SimdMath::where(inside, a[k].re, outside.re),
              SimdMath::where(inside, a[k].im, outside.im)};
      iterate[column] = a[k];
      prefetch<sizeof(Element<T>)>(iterate + column + plan.length);
    }
    Butterfly<R, Direction::kForward, T>::apply(a);
    apply_twiddles<R, Direction::kForward, T>(a, w);
    store_points<R, T>(line + j, stride, a);
  }
}

template <Outside Rule, typename T>
void update_rows_by(const Image<T>& image, T keep, T project, T* scratch, int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.state, block, line);
    with_radix(plan.radix[0], [&]<int R>() __attribute__((always_inline)) {
      update_line<R, Rule, T>(plan, line, iterate_rows(image, block), mask_rows(image, block), keep,
                              project);
    });
    scatter_rows(image, image.state, block, line);
  }
}

template <typename T>
void update_rows(const Image<T>& image, T keep, T project, T* line, int begin, int end) {
  if (keep == T(0) && project == T(0)) {
    update_rows_by<Outside::kZero>(image, keep, project, line, begin, end);
  } else if (keep == T(1)) {
    update_rows_by<Outside::kAdd>(image, keep, project, line, begin, end);
  } else {
    update_rows_by<Outside::kMix>(image, keep, project, line, begin, end);
  }
}

template <typename T>
void forward_rows(const Image<T>& image, T* target, T outside_gain, T* scratch, int begin,
                  int end) {
  constexpr int W = kLanes<T>;
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  for (int block = begin; block < end; ++block) {
    const Element<T>* iterate = iterate_rows(image, block);
    const int8_t* mask = mask_rows(image, block);
    for (int column = 0; column < image.columns; ++column) {
      const Element<T> x = iterate[column];
      const Mask<T> inside = load_mask<T>(mask + column * W);
      line[column] = {SimdMath::where(inside, x.re, outside_gain * x.re),
                      SimdMath::where(inside, x.im, outside_gain * x.im)};
    }
    forward_pass<T>(plan.radix[0], line, plan.length, plan.length, plan.twiddles[0]);
    scatter_rows(image, target, block, line);
  }
}

template <typename T>
void difference_rows(const Image<T>& image, T beta, T* scratch, int begin, int end) {
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = image.along_rows;
  Element<T>* p = reinterpret_cast<Element<T>*>(scratch);
  Element<T>* q = p + image.padded_columns;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.state, block, p);
    gather_rows(image, image.second, block, q);
    inverse_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    inverse_pass<T>(plan.radix[0], q, plan.length, plan.length, plan.twiddles[0]);
    Element<T>* iterate = iterate_rows(image, block);
    const int8_t* mask = mask_rows(image, block);
    for (int column = 0; column < image.columns; ++column) {
      const Mask<T> inside = load_mask<T>(mask + column * W);
      iterate[column] =
          difference_map<SimdMath>(p[column], q[column], iterate[column], inside, beta);
      p[column] = iterate[column];
    }
    forward_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    scatter_rows(image, image.state, block, p);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
