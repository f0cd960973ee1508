// The element of the symmetry group that brings an estimate closest to a reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <optional>
#include <vector>

#include "common/grid.h"
#include "common/symmetry.h"
#include "cpu/bounding_box.h"
#include "cpu/correlation.h"
#include "cpu/overlap.h"
#include "cpu/symmetries/correlator.h"

namespace symbreak {

template <typename T>
struct Element {
  IndexMap map{{0, 0, 0}, false};
  int64_t shift[3] = {0, 0, 0};
  T phase = 0;        // in (-pi, pi]
  double sa_mse = 0;  // the mean over the pixels of |T e - r|^2 after the best element T
};

// Buffers of one thread, or of `parts` threads that share each item, reused from item to item.
template <typename T>
class BestElement {
 public:
  BestElement(const Grid& grid, bool wrap, const Tensor& prototype, int parts)
      : grid_(grid), wrap_(wrap), prototype_(prototype), boxes_(grid), codelets_(wrap, parts) {}

  // estimate, reference: [depth, rows, columns, 2].
  Element<T> find(const T* estimate, const T* reference) {
    Element<T> best;
    const Box box = boxes_.find(estimate, 0, false);
    const BoxedObject<T> from = boxed(estimate, box);
    const BoxedObject<T> towards = boxed(reference, boxes_.find(reference, 0, false));
    if (box.content == Content::kNonFinite || towards.box.content == Content::kNonFinite) {
      best.sa_mse = std::numeric_limits<double>::quiet_NaN();
      return best;
    }
    if (box.content == Content::kSome && towards.box.content == Content::kSome) {
      align(from, towards, best);
    }
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t pivot = wrap_ ? grid_.size[axis] - 1 : box.lo[axis] + box.hi[axis] - 1;
      const int64_t offset = best.map.offset[axis];
      best.shift[axis] = best.map.flipped ? offset - pivot : -offset;
    }
    const Overlap<T> overlap(from, towards, best.map, wrap_);
    best.sa_mse = overlap.squared_difference(best.phase) / static_cast<double>(grid_.pixels());
    return best;
  }

 private:
  // The scale keeps the products of the search in range.
  BoxedObject<T> boxed(const T* x, const Box& box) const {
    const double scale = box.content == Content::kSome ? scale_to_one(box.peak) : 1.0;
    BoxedObject<T> object{x, grid_, box, scale};
    for (int axis = 0; wrap_ && axis < 3; ++axis) {
      object.box.lo[axis] = 0;
      object.box.hi[axis] = grid_.size[axis];
    }
    return object;
  }

  // |scale x|, over the window.
  static double norm(const BoxedObject<T>& object) {
    double power = 0;
    for (int64_t z = object.box.lo[0]; z < object.box.hi[0]; ++z) {
      const int64_t first = object.pixel(z, object.box.lo[1], object.box.lo[2]);
      power += symmetry_kernels<T>().power(
          {object.x + 2 * first, 2 * object.grid.size[2], object.extent(1), object.extent(2)},
          object.scale);
    }
    return std::sqrt(power);
  }

  // Correlations by FFT name the candidates; sums in float64 over the pixels decide among them.
  void align(const BoxedObject<T>& estimate, const BoxedObject<T>& reference, Element<T>& best) {
    const double norms = norm(estimate) * norm(reference);
    std::vector<IndexMap> candidates;
    if (codelets_.reaches(estimate, reference)) {
      candidates = codelets_.candidates(estimate, reference, norms);
    } else {
      if (!general_) general_.emplace(wrap_, prototype_);
      candidates = general_->candidates(estimate, reference, norms);
    }
    if (sizeof(T) < sizeof(double) && candidates.size() > kMaxCandidates) {
      candidates = Correlator<double>(wrap_, prototype_).candidates(estimate, reference, norms);
    }
    // Below rounding the correlation says nothing, and the identity is as good as any.
    double largest = std::numeric_limits<T>::epsilon() * norms;
    largest *= largest;
    for (const IndexMap& map : candidates) {
      const Complex c = Overlap<T>(estimate, reference, map, wrap_).inner_product();
      const double power = c.re * c.re + c.im * c.im;
      if (power > largest) {
        largest = power;
        best.map = map;
        best.phase = principal(std::atan2(c.im, c.re));
      }
    }
  }

  // Rounding to T may pass pi or meet -pi.
  static T principal(double phase) {
    const T pi = static_cast<T>(std::numbers::pi), rounded = static_cast<T>(phase);
    return rounded == -pi ? pi : rounded;
  }

  Grid grid_;
  bool wrap_;
  Tensor prototype_;
  BoundingBox<T> boxes_;
  CodeletCorrelator<T> codelets_;
  std::optional<Correlator<T>> general_;  // for pairs without codelets
};

}  // namespace symbreak
