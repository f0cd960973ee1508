// Where an index map brings one object's content onto another's, and float64 sums over it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/correlation_lags.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

struct Complex {
  double re = 0, im = 0;
};

template <typename T>
class Overlap {
 public:
  Overlap(const BoxedObject<T>& estimate, const BoxedObject<T>& reference, const IndexMap& map,
          bool wrap)
      : estimate_(estimate), reference_(reference), map_(map) {
    for (int axis = 0; axis < 3; ++axis) {
      if (wrap) {
        list_periodic_runs(axis);
      } else {
        list_run(axis);
      }
    }
  }

  // sum_n conj(C^f e(map(n))) r(n), both factors scaled.
  Complex inner_product() const {
    const double scale[2] = {estimate_.scale, reference_.scale};
    double sum[2] = {0, 0};
    for_windows([&](const Window<T>& e, const Window<T>& r) {
      kernels_.inner_product(e, r, map_.flipped, scale, sum);
    });
    return {sum[0], sum[1]};
  }

  // || e^{i phase} C^f e(map) - r ||^2 over all of both contents; norms are never subtracted.
  double squared_difference(double phase) const {
    const double turn[2] = {phase == 0 ? 1.0 : std::cos(phase), phase == 0 ? 0.0 : std::sin(phase)};
    double sum = 0;
    for_windows([&](const Window<T>& e, const Window<T>& r) {
      sum += kernels_.squared_difference(e, r, map_.flipped, turn);
    });
    int64_t lo[3], hi[3], from_lo[3], from_hi[3];
    for (int axis = 0; axis < 3; ++axis) {
      lo[axis] = hi[axis] = from_lo[axis] = from_hi[axis] = 0;
      for (int i = 0; i < counts_[axis]; ++i) {  // a periodic axis: both runs make up all of it
        const Run& run = runs_[axis][i];
        const int64_t last = run.count - 1;
        const int64_t source = map_.flipped ? run.source - last : run.source;
        lo[axis] = i == 0 ? run.first : std::min(lo[axis], run.first);
        hi[axis] = std::max(hi[axis], run.first + run.count);
        from_lo[axis] = i == 0 ? source : std::min(from_lo[axis], source);
        from_hi[axis] = std::max(from_hi[axis], source + run.count);
      }
    }
    return sum + power_outside(reference_, lo, hi) + power_outside(estimate_, from_lo, from_hi);
  }

 private:
  struct Run {
    int64_t first, source, count;  // pixels n of the reference and map(first)
  };

  void list_run(int axis) {
    const int64_t offset = map_.offset[axis];
    const int64_t lo = estimate_.box.lo[axis], hi = estimate_.box.hi[axis];
    const int64_t begin =
        std::max(reference_.box.lo[axis], map_.flipped ? offset - hi + 1 : lo - offset);
    const int64_t end =
        std::min(reference_.box.hi[axis], map_.flipped ? offset - lo + 1 : hi - offset);
    counts_[axis] = end > begin ? 1 : 0;
    runs_[axis][0] = {begin, map_.source(axis, begin), end - begin};
  }

  void list_periodic_runs(int axis) {
    const int64_t size = reference_.grid.size[axis];
    const int64_t source = wrapped(map_.source(axis, 0), size);
    const int64_t count = map_.flipped ? source + 1 : size - source;
    counts_[axis] = count < size ? 2 : 1;
    runs_[axis][0] = {0, source, count};
    runs_[axis][1] = {count, map_.flipped ? size - 1 : 0, size - count};
  }

  template <typename Body>
  void for_windows(const Body& body) const {
    for (int i = 0; i < counts_[0]; ++i) {
      for (int j = 0; j < counts_[1]; ++j) {
        for (int k = 0; k < counts_[2]; ++k) {
          const Run &planes = runs_[0][i], &rows = runs_[1][j], &columns = runs_[2][k];
          for (int64_t z = 0; z < planes.count; ++z) {
            const int64_t from = map_.flipped ? planes.source - z : planes.source + z;
            body(window(estimate_, from, rows.source, columns.source, rows.count, columns.count),
                 window(reference_, planes.first + z, rows.first, columns.first, rows.count,
                        columns.count));
          }
        }
      }
    }
  }

  static Window<T> window(const BoxedObject<T>& object, int64_t plane, int64_t row, int64_t column,
                          int64_t rows, int64_t columns) {
    return {object.x + 2 * object.pixel(plane, row, column), 2 * object.grid.size[2], rows,
            columns};
  }

  // The sum of |x|^2 over the box without [lo, hi): slabs before and after it, axis by axis.
  double power_outside(const BoxedObject<T>& object, const int64_t* lo, const int64_t* hi) const {
    int64_t from[3], to[3];
    std::copy_n(object.box.lo, 3, from);
    std::copy_n(object.box.hi, 3, to);
    double sum = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t begin = from[axis], end = to[axis];
      const int64_t inner_begin = std::clamp(lo[axis], begin, end);
      const int64_t inner_end = std::clamp(hi[axis], inner_begin, end);
      to[axis] = inner_begin;
      sum += power(object, from, to);
      from[axis] = inner_end;
      to[axis] = end;
      sum += power(object, from, to);
      from[axis] = inner_begin;
      to[axis] = inner_end;
    }
    return sum;
  }

  double power(const BoxedObject<T>& object, const int64_t* from, const int64_t* to) const {
    double sum = 0;
    for (int64_t z = from[0]; z < to[0]; ++z) {
      if (to[1] <= from[1] || to[2] <= from[2]) break;
      sum += kernels_.power(window(object, z, from[1], from[2], to[1] - from[1], to[2] - from[2]),
                            1.0);
    }
    return sum;
  }

  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  const BoxedObject<T>& estimate_;
  const BoxedObject<T>& reference_;
  const IndexMap& map_;
  Run runs_[3][2];
  int counts_[3];
};

}  // namespace symbreak
