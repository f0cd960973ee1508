// The correlations of an estimate and of its conjugate flip with a reference by torch's FFT: for
// any size and dimension.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/fast_length.h"
#include "common/stable.h"
#include "cpu/correlation_lags.h"
#include "cpu/fourier.h"

namespace symbreak {

// W is the precision of the transforms. Each instance belongs to one thread.
template <typename W>
class Correlator {
 public:
  Correlator(bool wrap, const Tensor& prototype) : wrap_(wrap), prototype_(prototype) {}

  // The index maps whose |correlation| is within rounding of the largest, unflipped first, then in
  // the order of shifts; norms = |e| |r|. At most kMaxCandidates + 1 of them.
  template <typename T>
  std::vector<IndexMap> candidates(const BoxedObject<T>& estimate, const BoxedObject<T>& reference,
                                   double norms) {
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t extent = estimate.extent(axis), other = reference.extent(axis);
      padded_.size[axis] = wrap_ ? extent : fast_length(extent + other - 1);
    }
    lags_.list(estimate, reference, wrap_, padded_);
    padded_.rank = estimate.grid.rank;
    const Tensor pair =
        torch::stable::new_empty(prototype_, {2, padded_.pixels()}, kComplexType<W>);
    load(estimate, mutable_real_data<W>(pair));
    load(reference, mutable_real_data<W>(pair) + 2 * padded_.pixels());
    const Fourier<W> fourier(padded_, 2);
    Spectrum<W> spectra = fourier.forward(mutable_real_data<W>(pair));
    multiply(spectra.data());
    Spectrum<W> correlations = fourier.inverse(spectra.data());
    const W* c = correlations.data();
    const double largest = find_peaks(c);
    constexpr double kEpsilon = std::numeric_limits<W>::epsilon();
    return above(c, static_cast<W>(least_power(largest, norms, kEpsilon, 1.0)));
  }

 private:
  using Int = typename Magnitude<W>::Int;

  // The content of the box at the origin of the padded grid, black around it.
  template <typename T>
  void load(const BoxedObject<T>& object, W* to) const {
    std::fill(to, to + 2 * padded_.pixels(), W(0));
    const Box& box = object.box;
    for (int64_t z = 0; z < object.extent(0); ++z) {
      for (int64_t y = 0; y < object.extent(1); ++y) {
        const T* x = object.x + 2 * object.pixel(box.lo[0] + z, box.lo[1] + y, box.lo[2]);
        W* row = to + 2 * padded_.size[2] * (z * padded_.size[1] + y);
        for (int64_t i = 0; i < 2 * object.extent(2); ++i) {
          row[i] = static_cast<W>(x[i] * object.scale);
        }
      }
    }
  }

  // (E, R) -> (conj(E) R, E R).
  void multiply(W* spectra) const {
    const int64_t count = padded_.pixels();
    W* e = spectra;
    W* r = spectra + 2 * count;
    for (int64_t i = 0; i < count; ++i) {
      const W a = e[2 * i], b = e[2 * i + 1], c = r[2 * i], d = r[2 * i + 1];
      e[2 * i] = a * c + b * d;
      e[2 * i + 1] = a * d - b * c;
      r[2 * i] = a * c - b * d;
      r[2 * i + 1] = a * d + b * c;
    }
  }

  // The largest |c|^2 of each row and of all; as integers, which the compiler vectorises.
  W find_peaks(const W* c) {
    const int64_t width = padded_.size[2];
    row_peaks_.resize(2 * padded_.size[0] * padded_.size[1]);
    Int peak = 0;
    for (W& row_peak : row_peaks_) {
      Int largest = 0;
      for (int64_t i = 0; i < width; ++i) {
        largest = std::max(largest,
                           std::bit_cast<Int>(c[2 * i] * c[2 * i] + c[2 * i + 1] * c[2 * i + 1]));
      }
      row_peak = std::bit_cast<W>(largest);
      peak = std::max(peak, largest);
      c += 2 * width;
    }
    return std::bit_cast<W>(peak);
  }

  std::vector<IndexMap> above(const W* c, W least) const {
    std::vector<IndexMap> found;
    for (const bool flipped : {false, true}) {
      for (const Lag& z : lags_.along(0, flipped)) {
        for (const Lag& y : lags_.along(1, flipped)) {
          const int64_t row = (flipped * padded_.size[0] + z.index) * padded_.size[1] + y.index;
          if (row_peaks_[row] < least) continue;
          for (const Lag& x : lags_.along(2, flipped)) {
            const W* value = c + 2 * (row * padded_.size[2] + x.index);
            if (value[0] * value[0] + value[1] * value[1] < least) continue;
            found.push_back({{z.offset, y.offset, x.offset}, flipped});
            if (found.size() > kMaxCandidates) return found;
          }
        }
      }
    }
    return found;
  }

  bool wrap_;
  Tensor prototype_;
  Grid padded_{{1, 1, 1}, 3};
  CorrelationLags lags_;
  std::vector<W> row_peaks_;  // [2 * depth * rows]
};

}  // namespace symbreak
