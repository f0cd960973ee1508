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

// What happens outside the support: ER sets zero and needs no x, HIO adds to x, RAAR mixes. Limited
// phases are a matter of the inside too.
enum class Outside { kZero, kAdd, kMix, kLimited };

// The first radix of both transforms and the update between them, so that the line is read and
// written once for the three.
template <int R, Outside Rule, typename T>
__attribute__((noinline)) void update_line(const AxisPlan<T>& plan, Element<T>* line,
                                           Element<T>* iterate, const int8_t* mask,
                                           const Feedback<T>& rule, const PhaseCone<T>& cone) {
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
      if constexpr (Rule == Outside::kLimited) {
        a[k] = feed_back_limited<SimdMath, T>(a[k], iterate[column], inside, rule, cone);
      } else {
        Element<T> outside = {};
        if constexpr (Rule != Outside::kZero) {
          outside =
              feed_back<Rule == Outside::kMix>(a[k], iterate[column], rule.keep, rule.project);
        }
        a[k] = {SimdMath::where(inside, a[k].re, outside.re),
                SimdMath::where(inside, a[k].im, outside.im)};
      }
      iterate[column] = a[k];
      prefetch<sizeof(Element<T>)>(iterate + column + plan.length);
    }
    Butterfly<R, Direction::kForward, T>::apply(a);
    apply_twiddles<R, Direction::kForward, T>(a, w);
    store_points<R, T>(line + j, stride, a);
  }
}

template <Outside Rule, typename T>
void update_rows_by(const Image<T>& image, const Feedback<T>& rule, T* scratch, int begin,
                    int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.state, block, line);
    with_radix(plan.radix[0], [&]<int R>() __attribute__((always_inline)) {
      update_line<R, Rule, T>(plan, line, iterate_rows(image, block), mask_rows(image, block), rule,
                              image.cone);
    });
    scatter_rows(image, image.state, block, line);
  }
}

template <typename T>
void update_rows(const Image<T>& image, const Feedback<T>& rule, T* line, int begin, int end) {
  if (image.cone.limits) {
    update_rows_by<Outside::kLimited>(image, rule, line, begin, end);
  } else if (rule.keep == T(0) && rule.project == T(0)) {
    update_rows_by<Outside::kZero>(image, rule, line, begin, end);
  } else if (rule.keep == T(1)) {
    update_rows_by<Outside::kAdd>(image, rule, line, begin, end);
  } else {
    update_rows_by<Outside::kMix>(image, rule, line, begin, end);
  }
}

template <typename T>
void forward_rows(const Image<T>& image, T* target, T f, T* scratch, int begin, int end) {
  constexpr int W = kLanes<T>;
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const AxisPlan<T>& plan = image.along_rows;
  const bool limited = image.cone.limits && f != T(1);
  for (int block = begin; block < end; ++block) {
    const Element<T>* iterate = iterate_rows(image, block);
    const int8_t* mask = mask_rows(image, block);
    for (int column = 0; column < image.columns; ++column) {
      const Element<T> x = iterate[column];
      const Mask<T> inside = load_mask<T>(mask + column * W);
      line[column] = limited ? towards_object<SimdMath, T>(x, inside, f, image.cone)
                             : Element<T>{SimdMath::where(inside, x.re, f * x.re),
                                          SimdMath::where(inside, x.im, f * x.im)};
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
  const Feedback<T> pull{T(1), T(0), beta, T(1) + T(1) / beta, T(1) / beta};  // see phasing.h
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.state, block, p);
    gather_rows(image, image.second, block, q);
    inverse_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    inverse_pass<T>(plan.radix[0], q, plan.length, plan.length, plan.twiddles[0]);
    Element<T>* iterate = iterate_rows(image, block);
    const int8_t* mask = mask_rows(image, block);
    for (int column = 0; column < image.columns; ++column) {
      const Mask<T> inside = load_mask<T>(mask + column * W);
      const Element<T> x = iterate[column];
      if (image.cone.limits) {
        const Element<T> pulled =
            feed_back_limited<SimdMath, T>(p[column], x, inside, pull, image.cone);
        p[column] = {pulled.re - beta * q[column].re, pulled.im - beta * q[column].im};
      } else {
        p[column] = difference_map<SimdMath>(p[column], q[column], x, inside, beta);
      }
      iterate[column] = p[column];
    }
    forward_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    scatter_rows(image, image.state, block, p);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
