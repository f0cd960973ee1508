// |F x| of 2D objects on the codelets: rows and columns without content are not transformed.
#pragma once

#include "cpu/bounding_box.h"
#include "cpu/symmetries/scratch.h"

namespace symbreak {

// `parts` threads share an item.
template <typename T>
class CodeletAmplitude {
 public:
  static bool reaches(const Grid& padded) {
    return padded.rank == 2 && axis_supported(padded.size[1]) && axis_supported(padded.size[2]);
  }

  CodeletAmplitude(const Grid& grid, const Grid& padded, int parts)
      : grid_(grid), padded_(padded), boxes_(grid), scratch_(parts) {}

  // x: [rows, columns, 2], amplitude: [padded rows, padded columns]. Where in the padded grid the
  // content lies makes no difference.
  void write(const T* x, T* amplitude) {
    Box box = boxes_.find(x, 0, false);
    if (box.content == Content::kNone) {
      std::fill(amplitude, amplitude + padded_.pixels(), T(0));
      return;
    }
    double scale = 1;
    if (box.content == Content::kSome) {
      scale = scale_to_one(box.peak);
    } else {  // infinities and NaN go their way
      std::copy_n(grid_.size, 3, box.hi);
    }
    const Image<T>& image = scratch_.prepare(padded_.size[1], padded_.size[2], 1);
    const ScaledWindow<T> content = content_of(x, grid_, box, scale);
    const int* positions = plan_of_length<T>(image.columns).position.data();
    const int* frequency = plan_of_length<T>(image.rows).axis.frequency().data();
    const int rows = static_cast<int>(content.window.rows);
    scratch_.for_blocks(scratch_.blocks(rows), [&](T* line, int begin, int end) {
      kernels_.transform_rows_in_order(image, content, positions, image.state, line, begin, end);
    });
    const T gain = static_cast<T>(1 / scale);
    scratch_.for_blocks(scratch_.blocks(image.columns), [&](T*, int begin, int end) {
      kernels_.amplitude_columns(image, rows, frequency, gain, amplitude, begin, end);
    });
  }

 private:
  const SymmetryKernels<T>& kernels_ = symmetry_kernels<T>();
  const Grid grid_, padded_;
  BoundingBox<T> boxes_;
  TransformScratch<T> scratch_;
};

}  // namespace symbreak
