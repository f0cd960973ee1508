// The correlations of 2D objects on the codelets: rows without content are never transformed, both
// come from one pair of spectra, and only the largest power of each row is kept.
#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "cpu/correlation_lags.h"
#include "cpu/symmetries/scratch.h"

namespace symbreak {

// The same as Correlator, in precision T and on grids of rank 2. `parts` threads share an item.
template <typename T>
class CodeletCorrelator {
 public:
  CodeletCorrelator(bool wrap, int parts) : wrap_(wrap), scratch_(parts) {}

  // Whether there are codelets for this pair.
  bool reaches(const BoxedObject<T>& estimate, const BoxedObject<T>& reference) const {
    if (estimate.grid.rank != 2) return false;
    return padded(estimate, reference, 1) > 0 && padded(estimate, reference, 2) > 0;
  }

  std::vector<IndexMap> candidates(const BoxedObject<T>& estimate, const BoxedObject<T>& reference,
                                   double norms) {
    const Grid sizes{{1, padded(estimate, reference, 1), padded(estimate, reference, 2)}, 2};
    lags_.list(estimate, reference, wrap_, sizes);
    const Image<T>& image = scratch_.prepare(sizes.size[1], sizes.size[2], 2);
    transform(image, estimate, image.state);
    transform(image, reference, image.second);
    const int rows[2] = {static_cast<int>(estimate.extent(1)),
                         static_cast<int>(reference.extent(1))};
    scratch_.for_blocks(scratch_.blocks(image.columns), [&](T*, int begin, int end) {
      kernels_.correlate_columns(image, rows, begin, end);
    });
    scratch_.for_blocks(scratch_.blocks(image.rows), [&](T* line, int begin, int end) {
      kernels_.row_peaks(image, image.state, scratch_.peaks(), line, begin, end);
      kernels_.row_peaks(image, image.second, scratch_.peaks() + image.rows, line, begin, end);
    });
    const double largest = *std::max_element(scratch_.peaks(), scratch_.peaks() + 2 * image.rows);
    const double gain = double(image.rows) * image.columns;  // of transforms not normalised
    constexpr double kEpsilon = std::numeric_limits<T>::epsilon();
    return above(image, static_cast<T>(least_power(largest, norms, kEpsilon, gain)));
  }

 private:
  int64_t padded(const BoxedObject<T>& estimate, const BoxedObject<T>& reference, int axis) const {
    const int64_t extent = estimate.extent(axis);
    if (wrap_) return axis_supported(extent) ? extent : 0;
    return padded_length(extent + reference.extent(axis) - 1);
  }

  void transform(const Image<T>& image, const BoxedObject<T>& object, T* state) {
    const ScaledWindow<T> content = content_of(object.x, object.grid, object.box, object.scale);
    scratch_.for_blocks(scratch_.blocks(content.window.rows), [&](T* line, int begin, int end) {
      kernels_.transform_rows(image, content, state, line, begin, end);
    });
  }

  // Blocks of rows with a peak that is large enough are transformed back once more.
  std::vector<IndexMap> above(const Image<T>& image, T least) {
    std::vector<IndexMap> found;
    T* line = scratch_.line(0);
    T* powers = line + 2 * image.columns * kernels_.lanes;  // [columns, lanes]
    for (const bool flipped : {false, true}) {
      int64_t current = -1;
      for (const Lag& y : lags_.along(1, flipped)) {
        if (scratch_.peaks()[flipped * image.rows + y.index] < least) continue;
        const int64_t block = y.index / kernels_.lanes, lane = y.index % kernels_.lanes;
        if (block != current) {
          T* state = flipped ? image.second : image.state;
          kernels_.row_powers(image, state, powers, line, static_cast<int>(block));
          current = block;
        }
        for (const Lag& x : lags_.along(2, flipped)) {
          if (powers[x.index * kernels_.lanes + lane] < least) continue;
          found.push_back({{0, y.offset, x.offset}, flipped});
          if (found.size() > kMaxCandidates) return found;
        }
      }
    }
    return found;
  }

  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  bool wrap_;
  TransformScratch<T> scratch_;
  CorrelationLags lags_;
};

}  // namespace symbreak
