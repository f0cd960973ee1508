// The bounding box of an object's content, on a window or on a periodic grid.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/box.h"
#include "common/grid.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

// Which planes, rows and columns hold content; reused from item to item of one thread.
template <typename T>
class BoundingBox {
 public:
  explicit BoundingBox(const Grid& grid)
      : grid_(grid),
        columns_(2 * grid.size[2]),
        rows_(grid.size[1]),
        occupied_{std::vector<char>(grid.size[0]), std::vector<char>(grid.size[1]),
                  std::vector<char>(grid.size[2])} {}

  // The box of |x| > tol * max |x|; x: [depth, rows, columns, 2].
  Box find(const T* x, double tol, bool wrap) {
    Box box;
    const Int peak = scan(x);
    box.peak = std::bit_cast<T>(peak);
    if (peak >= Magnitude<T>::kInfinity) {
      box.content = Content::kNonFinite;
    } else if (peak > 0) {
      box.content = Content::kSome;
      if (tol > 0) scan_above(x, tol);
      for (int axis = 0; axis < 3; ++axis) {
        find_extent(occupied_[axis].data(), grid_.size[axis], wrap, &box.lo[axis], &box.hi[axis]);
      }
    }
    return box;
  }

 private:
  using Int = typename Magnitude<T>::Int;

  // Marks everything that is not zero; returns the largest component.
  Int scan(const T* x) {
    const int64_t width = 2 * grid_.size[2];
    std::fill(columns_.begin(), columns_.end(), Int{0});
    std::fill(occupied_[1].begin(), occupied_[1].end(), 0);
    T peak = 0;
    char* rows = rows_.data();
    for (int64_t z = 0; z < grid_.size[0]; ++z, x += width * grid_.size[1]) {
      const T plane = kernels_.scan_content(x, grid_.size[1], width, rows, columns_.data());
      bool any = false;
      for (int64_t y = 0; y < grid_.size[1]; ++y) {
        any |= rows[y] != 0;
        occupied_[1][y] |= rows[y];
      }
      occupied_[0][z] = any;
      if (magnitude(plane) > magnitude(peak)) peak = plane;
    }
    for (int64_t c = 0; c < grid_.size[2]; ++c) {
      occupied_[2][c] = columns_[2 * c] > 0 || columns_[2 * c + 1] > 0;
    }
    return magnitude(peak);
  }

  void scan_above(const T* x, double tol) {
    const int64_t pixels = grid_.pixels();
    double peak = 0;
    for (int64_t i = 0; i < pixels; ++i) peak = std::max(peak, modulus(x[2 * i], x[2 * i + 1]));
    for (auto& axis : occupied_) std::fill(axis.begin(), axis.end(), 0);
    for (int64_t z = 0; z < grid_.size[0]; ++z) {
      for (int64_t y = 0; y < grid_.size[1]; ++y) {
        for (int64_t c = 0; c < grid_.size[2]; ++c, x += 2) {
          if (modulus(x[0], x[1]) > tol * peak) {
            occupied_[0][z] = occupied_[1][y] = occupied_[2][c] = 1;
          }
        }
      }
    }
  }

  Grid grid_;
  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  std::vector<Int> columns_;  // [columns, 2] bits of everything there
  std::vector<char> rows_;    // of one plane
  std::vector<char> occupied_[3];
};

}  // namespace symbreak
