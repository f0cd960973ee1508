// Writes an object through an index map: the one loop behind centring, flipping and translating.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/grid.h"
#include "common/symmetry.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

// A unit complex number; 1 exactly for phase 0, so that pure index maps copy bits.
template <typename T>
struct Rotation {
  T re = 1, im = 0;
};
template <typename T>
Rotation<T> rotation(double phase) {
  if (phase == 0) return {};
  return {static_cast<T>(std::cos(phase)), static_cast<T>(std::sin(phase))};
}

// y(n) = e^{i phase} C^f x(map(n)), black (or periodic) outside; x, y: [depth, rows, columns, 2].
template <typename T>
class Reindexer {
 public:
  Reindexer(const Grid& grid, const IndexMap& map, Rotation<T> turn, bool wrap)
      : grid_(grid), map_(map), turn_(turn), wrap_(wrap) {}

  void operator()(const T* x, T* y) const {
    const int64_t width = grid_.size[2];
    for (int64_t z = 0; z < grid_.size[0]; ++z) {
      for (int64_t r = 0; r < grid_.size[1]; ++r, y += 2 * width) {
        const int64_t from_z = source(0, z), from_r = source(1, r);
        if (from_z < 0 || from_r < 0) {
          std::fill(y, y + 2 * width, T(0));
        } else {
          row(x + 2 * width * (from_z * grid_.size[1] + from_r), y);
        }
      }
    }
  }

 private:
  // The source of pixel n, or -1 where it is black.
  int64_t source(int axis, int64_t n) const {
    const int64_t from = map_.source(axis, n), size = grid_.size[axis];
    if (wrap_) return wrapped(from, size);
    return from >= 0 && from < size ? from : -1;
  }

  // Splits the row into runs whose source is contiguous: at most one run, two on a periodic axis.
  void row(const T* x, T* y) const {
    const int64_t width = grid_.size[2];
    int64_t n = 0;
    while (n < width) {
      const int64_t from = source(2, n);
      int64_t run = 0;
      if (from < 0) {
        const int64_t outside = map_.source(2, n);  // black until the source enters the window
        const int64_t wait = map_.flipped ? outside - (width - 1) : -outside;
        run = wait > 0 ? std::min(wait, width - n) : width - n;
        std::fill(y + 2 * n, y + 2 * (n + run), T(0));
      } else {
        run = std::min(width - n, map_.flipped ? from + 1 : width - from);
        copy(x + 2 * from, y + 2 * n, run);
      }
      n += run;
    }
  }

  void copy(const T* x, T* y, int64_t count) const {
    const T c = turn_.re, s = turn_.im;
    const bool turned = c != T(1) || s != T(0);
    if (!map_.flipped && !turned) {
      std::copy(x, x + 2 * count, y);
    } else {
      kernels_.turned_row(x, y, count, map_.flipped, c, s);
    }
  }

  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  const Grid grid_;
  const IndexMap map_;
  const Rotation<T> turn_;
  const bool wrap_;
};

}  // namespace symbreak
