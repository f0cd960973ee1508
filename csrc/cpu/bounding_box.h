// The bounding box of an object's content, on a window or on a periodic grid.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/grid.h"
#include "common/symmetry.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

enum class Content { kSome, kNone, kNonFinite };

// [lo, hi) on each axis; on a periodic axis hi may pass the size, and the content then crosses the
// edge. Without finite content: the empty box at 0.
struct Box {
  int64_t lo[3] = {0, 0, 0};
  int64_t hi[3] = {0, 0, 0};
  Content content = Content::kNone;
  double peak = 0;  // the largest |component|; infinity or NaN where there is one
};

// The absolute value of an IEEE number as an integer of the same order: zero is 0, infinity and NaN
// are the largest, and a maximum over it is vectorised without asking what NaN compares to.
template <typename T>
struct Magnitude;
template <>
struct Magnitude<float> {
  using Int = int32_t;
  static constexpr Int kMask = 0x7fffffff, kInfinity = 0x7f800000;
};
template <>
struct Magnitude<double> {
  using Int = int64_t;
  static constexpr Int kMask = 0x7fffffffffffffff, kInfinity = 0x7ff0000000000000;
};
template <typename T>
typename Magnitude<T>::Int magnitude(T value) {
  using M = Magnitude<T>;
  return std::bit_cast<typename M::Int>(value) & M::kMask;
}

// |re + i im| without overflow or underflow.
inline double modulus(float re, float im) {
  return std::sqrt(double(re) * double(re) + double(im) * double(im));
}
inline double modulus(double re, double im) { return std::hypot(re, im); }

// The power of two that brings a peak to [1, 2): multiplying by it is exact.
inline double scale_to_one(double peak) {
  return std::ldexp(1.0, std::min(1000, -std::ilogb(peak)));
}

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
        extent(occupied_[axis], wrap, &box.lo[axis], &box.hi[axis]);
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

  // On a periodic axis the box is what the longest black run leaves (the first one of equals).
  static void extent(const std::vector<char>& occupied, bool wrap, int64_t* lo, int64_t* hi) {
    const int64_t size = static_cast<int64_t>(occupied.size());
    const auto first = std::find(occupied.begin(), occupied.end(), 1) - occupied.begin();
    const auto last =
        size - 1 - (std::find(occupied.rbegin(), occupied.rend(), 1) - occupied.rbegin());
    *lo = first;
    *hi = last + 1;
    if (!wrap) return;
    int64_t longest = size - (last - first + 1), previous = first;
    for (int64_t i = first + 1; i <= last; ++i) {
      if (!occupied[i]) continue;
      if (i - previous - 1 > longest) {
        longest = i - previous - 1;
        *lo = i;
        *hi = previous + 1 + size;
      }
      previous = i;
    }
  }

  Grid grid_;
  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  std::vector<Int> columns_;  // [columns, 2] bits of everything there
  std::vector<char> rows_;    // of one plane
  std::vector<char> occupied_[3];
};

// The shift that centres a box: it then starts at (N - extent) // 2.
inline int64_t centring_shift(int64_t lo, int64_t hi, int64_t size, bool wrap) {
  if (hi <= lo) return 0;
  const int64_t shift = (size - (hi - lo)) / 2 - lo;
  if (!wrap) return shift;
  const int64_t turned = wrapped(shift, size);  // the shorter way around
  return 2 * turned > size ? turned - size : turned;
}

}  // namespace symbreak
