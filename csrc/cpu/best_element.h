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
#include "cpu/reindex.h"

namespace symbreak {

template <typename T>
struct Element {
  IndexMap map{{0, 0, 0}, false};
  int64_t shift[3] = {0, 0, 0};
  T phase = 0;        // in (-pi, pi]
  double sa_mse = 0;  // the mean over the pixels of |T e - r|^2 after the best element T
};

struct Complex {
  double re = 0, im = 0;
};

// Buffers of one thread, reused from item to item.
template <typename T>
class BestElement {
 public:
  BestElement(const Grid& grid, bool wrap, const Tensor& prototype)
      : grid_(grid),
        wrap_(wrap),
        prototype_(prototype),
        boxes_(grid),
        correlator_(grid, wrap, prototype),
        aligned_(2 * grid.pixels()) {}

  // estimate, reference: [depth, rows, columns, 2].
  Element<T> find(const T* estimate, const T* reference) {
    Element<T> best;
    const Box box = boxes_.find(estimate, 0, false);
    const T peak = peak_component(estimate), reference_peak = peak_component(reference);
    if (!std::isfinite(peak) || !std::isfinite(reference_peak)) {
      best.sa_mse = std::numeric_limits<double>::quiet_NaN();
      return best;
    }
    if (peak > 0 && reference_peak > 0) {
      align(estimate, power_of_two(peak), reference, power_of_two(reference_peak), best);
    }
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t pivot = wrap_ ? grid_.size[axis] - 1 : box.lo[axis] + box.hi[axis] - 1;
      const int64_t offset = best.map.offset[axis];
      best.shift[axis] = best.map.flipped ? offset - pivot : -offset;
    }
    best.sa_mse = error(estimate, reference, best);
    return best;
  }

 private:
  // The largest |component|, infinity or NaN where one is.
  T peak_component(const T* x) const {
    using Int = typename Magnitude<T>::Int;
    Int peak = 0;
    const int64_t count = 2 * grid_.pixels();
    for (int64_t i = 0; i < count; ++i) peak = std::max(peak, magnitude(x[i]));
    return std::bit_cast<T>(peak);
  }

  // Exact, and keeps the products of the search in range: the scaled peak is in [1, 2).
  static double power_of_two(T peak) { return std::ldexp(1.0, std::min(1000, -std::ilogb(peak))); }

  // Correlations by FFT name the candidates; sums in float64 over the pixels decide among them.
  void align(const T* estimate, double scale, const T* reference, double reference_scale,
             Element<T>& best) {
    const auto search = [&](auto& correlator, double& norms) {
      norms = std::sqrt(correlator.load(0, estimate, scale)) *
              std::sqrt(correlator.load(1, reference, reference_scale));
      return correlator.candidates(norms);
    };
    double norms = 0;
    std::vector<IndexMap> candidates = search(correlator_, norms);
    if (sizeof(T) < sizeof(double) && candidates.size() > Correlator<T>::kMaxCandidates) {
      if (!precise_) precise_.emplace(grid_, wrap_, prototype_);
      candidates = search(*precise_, norms);
    }
    // Below rounding the correlation says nothing, and the identity is as good as any.
    double largest = std::numeric_limits<T>::epsilon() * norms;
    largest *= largest;
    for (const IndexMap& map : candidates) {
      const Complex c = inner_product(estimate, scale, reference, reference_scale, map);
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

  // sum_n conj(C^f e(map(n))) r(n), both factors scaled.
  Complex inner_product(const T* estimate, double scale, const T* reference, double reference_scale,
                        const IndexMap& map) {
    Reindexer<T>(grid_, map, {}, wrap_)(estimate, aligned_.data());
    Complex sum;
    for (size_t i = 0; i < aligned_.size(); i += 2) {
      const double a = aligned_[i] * scale, b = aligned_[i + 1] * scale;
      const double c = reference[i] * reference_scale, d = reference[i + 1] * reference_scale;
      sum.re += a * c + b * d;
      sum.im += a * d - b * c;
    }
    return sum;
  }

  // |T e - r|^2 over the window and |e|^2 of what T pushes out of it; norms are never subtracted.
  double error(const T* estimate, const T* reference, const Element<T>& element) {
    Reindexer<T>(grid_, element.map, {}, wrap_)(estimate, aligned_.data());
    const Rotation<double> turn = rotation<double>(element.phase);
    double sum = wrap_ ? 0 : power_pushed_out(estimate, element.map);
    for (size_t i = 0; i < aligned_.size(); i += 2) {
      const double a = aligned_[i], b = aligned_[i + 1];
      const double re = turn.re * a - turn.im * b - reference[i];
      const double im = turn.re * b + turn.im * a - reference[i + 1];
      sum += re * re + im * im;
    }
    return sum / static_cast<double>(grid_.pixels());
  }

  double power_pushed_out(const T* x, const IndexMap& map) const {
    double sum = 0;
    for (int64_t z = 0; z < grid_.size[0]; ++z) {
      for (int64_t y = 0; y < grid_.size[1]; ++y) {
        const bool row_stays = stays(map, 0, z) && stays(map, 1, y);
        for (int64_t c = 0; c < grid_.size[2]; ++c, x += 2) {
          if (row_stays && stays(map, 2, c)) continue;
          sum += double(x[0]) * double(x[0]) + double(x[1]) * double(x[1]);
        }
      }
    }
    return sum;
  }

  // Whether source pixel m is read by a pixel n of the window.
  bool stays(const IndexMap& map, int axis, int64_t m) const {
    const int64_t n = map.flipped ? map.offset[axis] - m : m - map.offset[axis];
    return n >= 0 && n < grid_.size[axis];
  }

  Grid grid_;
  bool wrap_;
  Tensor prototype_;
  BoundingBox<T> boxes_;
  Correlator<T> correlator_;
  std::optional<Correlator<double>> precise_;  // for items with more candidates than T resolves
  std::vector<T> aligned_;                     // [depth, rows, columns, 2], without the phase
};

}  // namespace symbreak
