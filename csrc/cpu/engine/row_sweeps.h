// Sweeps along axis 1: inverse transform, real-space update, transform, a block of rows at a time.
//
// The block is gathered from the tiles of `state` by the first pass of the inverse transform and
// scattered back by the last pass of the forward one; between them it lives in `line`.
#pragma once

#include "common/projections.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/passes.h"
#include "cpu/engine/tiles.h"
#include "cpu/simd_math.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Row block `block` of the block of columns that holds position p of axis 1, p a multiple of 16.
template <typename T>
SYMBREAK_HD T* tiles_at(const Image<T>& image, T* state, int block, int p) {
  constexpr int W = kLanes<T>;
  return state + p / W * image.state_stride + int64_t{block} * (2 * W * W);
}

// line = F_1^-1 state but for the first radix, which the caller fuses with its update.
template <typename T>
SYMBREAK_HD void gather_rows(const Image<T>& image, T* state, int block, Element<T>* line) {
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = image.along_rows;
  const int section = section_length(plan);
  for (int start = 0; start < plan.length; start += section) {
    for (int p = start; p < start + section; p += 16) {
      const T* tiles = tiles_at(image, state, block, p);
      SYMBREAK_UNROLL for (int i = 0; i < 16; i += 4) {
        Vector<T> re[4], im[4];
        SYMBREAK_UNROLL for (int k = 0; k < 4; k += kChunk<T>) {
          const int column = (i + k) % W;
          const T* tile = tiles + (i + k) / W * image.state_stride;
          load_transposed<T>(re + k, tile + column, 2 * W);
          load_transposed<T>(im + k, tile + column + W, 2 * W);
        }
        Element<T> a[4] = {{re[0], im[0]}, {re[1], im[1]}, {re[2], im[2]}, {re[3], im[3]}};
        Butterfly<4, Direction::kInverse, T>::apply(a);
        store_points<4, T>(line + p + i, 1, a);
      }
    }
    inverse_inner_passes(plan, line + start, section);
  }
}

// state = F_1 line, after the caller has done the first radix.
template <typename T>
SYMBREAK_HD void scatter_rows(const Image<T>& image, T* state, int block, Element<T>* line) {
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = image.along_rows;
  const int section = section_length(plan);
  for (int start = 0; start < plan.length; start += section) {
    forward_inner_passes(plan, line + start, section);
    for (int p = start; p < start + section; p += 16) {
      T* tiles = tiles_at(image, state, block, p);
      SYMBREAK_UNROLL for (int i = 0; i < 16; i += 4) {
        Element<T> a[4];
        load_points<4, T>(a, line + p + i, 1);
        Butterfly<4, Direction::kForward, T>::apply(a);
        Vector<T> re[4] = {a[0].re, a[1].re, a[2].re, a[3].re};
        Vector<T> im[4] = {a[0].im, a[1].im, a[2].im, a[3].im};
        SYMBREAK_UNROLL for (int k = 0; k < 4; k += kChunk<T>) {
          const int column = (i + k) % W;
          T* tile = tiles + (i + k) / W * image.state_stride + column;
          store_transposed<T>(tile, 2 * W, re + k);
          store_transposed<T>(tile + W, 2 * W, im + k);
        }
      }
    }
  }
}

template <typename T>
SYMBREAK_HD Element<T>* iterate_rows(const Image<T>& image, int block) {
  return reinterpret_cast<Element<T>*>(image.iterate) + int64_t{block} * image.columns;
}

template <typename T>
SYMBREAK_HD const int8_t* mask_rows(const Image<T>& image, int block) {
  return image.mask + int64_t{block} * image.columns * kLanes<T>;
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
  const auto update = plan.radix[0] == 2   ? update_line<2, Rule, T>
                      : plan.radix[0] == 3 ? update_line<3, Rule, T>
                      : plan.radix[0] == 5 ? update_line<5, Rule, T>
                                           : update_line<4, Rule, T>;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.state, block, line);
    update(plan, line, iterate_rows(image, block), mask_rows(image, block), keep, project);
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
  Element<T>* q = p + image.columns;
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
