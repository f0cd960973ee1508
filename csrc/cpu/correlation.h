// The correlations of an estimate and of its conjugate flip with a reference, over all shifts.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/fast_length.h"
#include "common/grid.h"
#include "common/stable.h"
#include "common/symmetry.h"
#include "cpu/bounding_box.h"

namespace symbreak {

// With E, R the zero-padded transforms of estimate and reference:
//   unflipped, shift s:  sum_n conj(e(n - s)) r(n)  = F^-1(conj(E) R)(s)
//   flipped, offset o:   sum_n e(o - n) r(n)        = F^-1(E R)(o)
// so both come from one pair of forward transforms. The object flipped about any pivot is a
// translate of this one; every offset at which the two overlap is in [0, 2N - 2].
//
// W is the precision of the transforms. Each instance belongs to one thread.
template <typename W>
class Correlator {
 public:
  // More index maps than this within rounding of the best: precision W cannot tell them apart.
  static constexpr size_t kMaxCandidates = 16;

  Correlator(const Grid& grid, bool wrap, const Tensor& prototype) : grid_(grid) {
    std::vector<int64_t> shape{2};
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t size = grid.size[axis];
      padded_.size[axis] = wrap ? size : fast_length(2 * size - 1);
      list_lags(size, padded_.size[axis], wrap, lags_[0][axis], lags_[1][axis]);
      if (axis >= 3 - grid.rank) sizes_.push_back(padded_.size[axis]);
    }
    shape.insert(shape.end(), sizes_.begin(), sizes_.end());
    pair_ = torch::stable::new_empty(prototype, shape, kComplexType<W>);
    W* data = mutable_real_data<W>(pair_);
    std::fill(data, data + 4 * padded_.pixels(), W(0));
    row_peaks_.resize(2 * padded_.size[0] * padded_.size[1]);
  }

  // Puts x, multiplied by `scale`, in the estimate's (slot 0) or the reference's (1) place;
  // returns the sum of |scale x|^2. x: [depth, rows, columns, 2].
  template <typename T>
  double load(int slot, const T* x, double scale) {
    W* to = mutable_real_data<W>(pair_) + 2 * slot * padded_.pixels();
    const int64_t width = 2 * grid_.size[2];
    double power = 0;
    for (int64_t z = 0; z < grid_.size[0]; ++z) {
      for (int64_t y = 0; y < grid_.size[1]; ++y, x += width) {
        W* row = to + 2 * padded_.size[2] * (z * padded_.size[1] + y);
        double row_power = 0;
        for (int64_t i = 0; i < width; ++i) {
          const double value = x[i] * scale;
          row[i] = static_cast<W>(value);
          row_power += value * value;
        }
        power += row_power;
      }
    }
    return power;
  }

  // The index maps whose |correlation| is within rounding of the largest, unflipped first, then in
  // the order of shifts; norms = |e| |r| of the loaded pair. At most kMaxCandidates + 1 of them.
  std::vector<IndexMap> candidates(double norms) {
    Tensor spectra = fourier_transform(pair_, sizes_, false);
    multiply(mutable_real_data<W>(spectra));
    const Tensor correlations = fourier_transform(spectra, sizes_, true);
    const W* c = real_data<W>(correlations);
    const double peak = std::sqrt(static_cast<double>(find_peaks(c)));
    // The error of a transform is some eps of the norms, whatever the size of the correlation.
    const double band = 32 * std::numeric_limits<W>::epsilon() * norms;
    const double least = std::max(0.0, peak - band);
    return above(c, static_cast<W>(least * least));
  }

 private:
  using Int = typename Magnitude<W>::Int;
  struct Lag {
    int64_t index;   // in the padded array
    int64_t offset;  // of the index map
  };

  // In the order of shifts: ascending from -(N - 1), on a periodic axis from 0 around the circle.
  static void list_lags(int64_t size, int64_t padded, bool wrap, std::vector<Lag>& plain,
                        std::vector<Lag>& flipped) {
    for (int64_t k = 0; k < (wrap ? size : 2 * size - 1); ++k) {
      const int64_t shift = !wrap ? k - (size - 1) : 2 * k > size ? k - size : k;
      plain.push_back({wrapped(shift, padded), -shift});
      const int64_t offset = wrap ? size - 1 + shift : k;
      flipped.push_back({wrapped(offset, padded), offset});
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
      const auto& [depth, rows, columns] = lags_[flipped];
      for (const Lag& z : depth) {
        for (const Lag& y : rows) {
          const int64_t row = (flipped * padded_.size[0] + z.index) * padded_.size[1] + y.index;
          if (row_peaks_[row] < least) continue;
          for (const Lag& x : columns) {
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

  Grid grid_;
  Grid padded_{{1, 1, 1}, 3};
  std::vector<int64_t> sizes_;   // the padded grid's, `rank` of them
  std::vector<Lag> lags_[2][3];  // [flipped][axis]
  Tensor pair_;                  // [2, *padded], black outside the window
  std::vector<W> row_peaks_;     // [2 * depth * rows]
};

}  // namespace symbreak
