// What centring and symmetry breaking ask of an object, gathered by a block in one pass over it.
#pragma once

#include "common/box.h"
#include "common/canonical.h"
#include "cuda/device.h"
#include "cuda/walk.h"

namespace symbreak {

template <typename T>
struct Survey {
  typename Magnitude<T>::Int peak = 0;                               // the largest component
  int lo[3] = {INT32_MAX, INT32_MAX, INT32_MAX}, hi[3] = {0, 0, 0};  // [lo, hi) holds the content
  double largest = 0;   // max |x|, gathered for a tolerance only
  FlipMoments moments;  // phases measured from the array's corner

  SYMBREAK_DEVICE void extend(int axis, int position) {
    lo[axis] = std::min(lo[axis], position);
    hi[axis] = std::max(hi[axis], position + 1);
  }
};

// Where content lies on periodic axes, one flag per plane, row and column; null on a window.
struct Occupied {
  unsigned* flags;

  SYMBREAK_DEVICE void mark(const Grid& grid, int plane, int row, int column) const {
    if (flags == nullptr) return;
    // Flags are only ever set, so that no one's store loses another's: a store, which serves all
    // lanes at one place at once, where atomics there would take turns.
    store_relaxed(flags + plane, 1u);
    store_relaxed(flags + grid.size[0] + row, 1u);
    store_relaxed(flags + grid.size[0] + grid.size[1] + column, 1u);
  }
};

struct SurveyOptions {
  double tol;
  bool moments;
  FlipRule rule;  // which of the moments
};

// The part of this thread in rows [begin, end) of x, which it also copies to the same place of
// `tile` if kTile. For tol > 0 the extent is left to extent_above. Sums in double, in a fixed
// order.
template <bool kTile, typename T>
SYMBREAK_DEVICE Survey<T> survey_rows(const Pixel<T>* __restrict__ x, Pixel<T>* tile,
                                      const Grid& grid, int64_t begin, int64_t end,
                                      const SurveyOptions& options, Occupied occupied) {
  constexpr int kAhead = 16 / sizeof(T);  // loads in flight
  const int width = static_cast<int>(grid.size[2]);
  Survey<T> s;
  visit_columns(grid, [&](int column, int first, int step) {
    double re = 0, im = 0;
    const int64_t stride = int64_t{step} * width, start = (begin + first) * width + column;
    const Pixel<T>* from = x + start;
    Pixel<T>* to = tile + start;
    RowPosition at(grid, begin + first);
    for (int left = static_cast<int>(end - begin) - first; left > 0; left -= kAhead * step) {
      Pixel<T> value[kAhead];
      SYMBREAK_UNROLL for (int k = 0; k < kAhead; ++k) {
        const bool inside = left > k * step;
        value[k] = inside ? from[k * stride] : Pixel<T>{0, 0};
        if (kTile && inside) to[k * stride] = value[k];
      }
      from += kAhead * stride;
      to += kAhead * stride;
      SYMBREAK_UNROLL for (int k = 0; k < kAhead; ++k, at.advance(step)) {
        const auto largest = std::max(magnitude(value[k].re), magnitude(value[k].im));
        s.peak = std::max(s.peak, largest);
        if (options.tol > 0) s.largest = std::max(s.largest, modulus(value[k].re, value[k].im));
        if (largest > 0 && !(options.tol > 0)) {
          s.extend(0, at.plane);
          s.extend(1, at.row);
          s.extend(2, column);
          occupied.mark(grid, at.plane, at.row, column);
        }
        if (options.moments) {
          re += value[k].re;
          im += value[k].im;
          s.moments.norm += fabs(double(value[k].re)) + fabs(double(value[k].im));
          if (options.rule == FlipRule::kCirculation && largest > 0) {
            double turn_im, turn_re;
            sincospi(-double(at.row) / double(grid.size[1]), &turn_im, &turn_re);
            add_to_ring(s.moments, 1, value[k].re, value[k].im, turn_re, turn_im);
          }
        }
      }
    }
    // A column's share of the sums: e^{-2 pi i c / M}, M = 2 N, turns the first frequency.
    if (re != 0 || im != 0) {
      double turn_im, turn_re;
      sincospi(-double(column) / double(width), &turn_im, &turn_re);
      s.moments.mean_re += re;
      s.moments.mean_im += im;
      add_to_ring(s.moments, 0, re, im, turn_re, turn_im);
    }
  });
  return s;
}

// Extends the survey of this thread to |x| > bound in rows [begin, end).
template <typename T>
SYMBREAK_DEVICE void extent_above(const Pixel<T>* x, const Grid& grid, int64_t begin, int64_t end,
                                  double bound, Survey<T>& s, Occupied occupied) {
  visit_columns(grid, [&](int column, int first, int step) {
    RowPosition at(grid, begin + first);
    for (int64_t r = begin + first; r < end; r += step, at.advance(step)) {
      const Pixel<T> value = x[r * grid.size[2] + column];
      if (!(modulus(value.re, value.im) > bound)) continue;
      s.extend(0, at.plane);
      s.extend(1, at.row);
      s.extend(2, column);
      occupied.mark(grid, at.plane, at.row, column);
    }
  });
}

template <typename T>
SYMBREAK_DEVICE Survey<T> joined(Survey<T> a, const Survey<T>& b) {
  a.peak = std::max(a.peak, b.peak);
  a.largest = std::max(a.largest, b.largest);
  for (int axis = 0; axis < 3; ++axis) {
    a.lo[axis] = std::min(a.lo[axis], b.lo[axis]);
    a.hi[axis] = std::max(a.hi[axis], b.hi[axis]);
  }
  a.moments.mean_re += b.moments.mean_re;
  a.moments.mean_im += b.moments.mean_im;
  for (int j = 0; j < kRing; ++j) {
    a.moments.ring_re[j] += b.moments.ring_re[j];
    a.moments.ring_im[j] += b.moments.ring_im[j];
  }
  a.moments.norm += b.moments.norm;
  return a;
}

// The survey of lane + delta.
template <typename T>
SYMBREAK_DEVICE Survey<T> from_lane_below(const Survey<T>& s, int delta) {
  constexpr unsigned kAll = ~0u;
  Survey<T> other;
  other.peak = __shfl_down_sync(kAll, s.peak, delta);
  for (int axis = 0; axis < 3; ++axis) {
    other.lo[axis] = __shfl_down_sync(kAll, s.lo[axis], delta);
    other.hi[axis] = __shfl_down_sync(kAll, s.hi[axis], delta);
  }
  other.largest = __shfl_down_sync(kAll, s.largest, delta);
  other.moments.mean_re = __shfl_down_sync(kAll, s.moments.mean_re, delta);
  other.moments.mean_im = __shfl_down_sync(kAll, s.moments.mean_im, delta);
  for (int j = 0; j < kRing; ++j) {
    other.moments.ring_re[j] = __shfl_down_sync(kAll, s.moments.ring_re[j], delta);
    other.moments.ring_im[j] = __shfl_down_sync(kAll, s.moments.ring_im[j], delta);
  }
  other.moments.norm = __shfl_down_sync(kAll, s.moments.norm, delta);
  return other;
}

// Joins the surveys of a block (whole warps) into each thread's; `warps`: shared, [32]. The order
// is fixed: lanes as a tree, then warps as a tree.
template <typename T>
SYMBREAK_DEVICE Survey<T> join_block(Survey<T> s, Survey<T>* warps) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, count = blockDim.x / 32;
  for (int delta = 16; delta > 0; delta /= 2) s = joined(s, from_lane_below(s, delta));
  if (lane == 0) warps[warp] = s;
  __syncthreads();
  if (warp == 0) {
    s = lane < count ? warps[lane] : Survey<T>{};
    for (int delta = 16; delta > 0; delta /= 2) s = joined(s, from_lane_below(s, delta));
    if (lane == 0) warps[0] = s;
  }
  __syncthreads();
  return warps[0];
}

}  // namespace symbreak
