// Which elements of the symmetry group the entries of two correlation arrays stand for.
#pragma once

#include <cstdint>
#include <vector>

#include "common/candidates.h"
#include "common/grid.h"
#include "common/symmetry.h"
#include "cpu/bounding_box.h"

namespace symbreak {

// An object seen through the box of its content, scaled to order one.
template <typename T>
struct BoxedObject {
  const T* x = nullptr;  // [depth, rows, columns, 2]
  Grid grid;
  Box box;       // on a periodic grid the whole window
  double scale;  // a power of two

  int64_t extent(int axis) const { return box.hi[axis] - box.lo[axis]; }
  int64_t pixel(int64_t z, int64_t y, int64_t x) const {
    return (z * grid.size[1] + y) * grid.size[2] + x;
  }
};

struct Lag {
  int64_t index;   // in the correlation array
  int64_t offset;  // of the index map
};

// With E, R the zero-padded transforms of the contents e and r of two boxes:
//   unflipped, shift s:  sum_n conj(e(n - s)) r(n)  = F^-1(conj(E) R)(s)
//   flipped, offset o:   sum_n e(o - n) r(n)        = F^-1(E R)(o)
// so both come from one pair of forward transforms, of the length of both extents less one. The
// object flipped about any pivot is a translate of this one. All other elements of the group bring
// no content onto content.
class CorrelationLags {
 public:
  // In the order of shifts: ascending, on a periodic axis from 0 around the circle.
  template <typename T>
  void list(const BoxedObject<T>& estimate, const BoxedObject<T>& reference, bool wrap,
            const Grid& padded) {
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t first = estimate.box.lo[axis], second = reference.box.lo[axis];
      const int64_t extent = estimate.extent(axis), other = reference.extent(axis);
      auto &plain = lags_[0][axis], &flipped = lags_[1][axis];
      plain.clear();
      flipped.clear();
      for (int64_t k = 0; k < (wrap ? extent : extent + other - 1); ++k) {
        const int64_t shift = !wrap ? k - (extent - 1) : 2 * k > extent ? k - extent : k;
        plain.push_back({wrapped(shift, padded.size[axis]), first - second - shift});
        const int64_t offset = wrap ? extent - 1 + shift : k;
        flipped.push_back({wrapped(offset, padded.size[axis]), first + second + offset});
      }
    }
  }

  const std::vector<Lag>& along(int axis, bool flipped) const { return lags_[flipped][axis]; }

 private:
  std::vector<Lag> lags_[2][3];  // [flipped][axis]
};

}  // namespace symbreak
