// What the schedule loop asks of the kernels, one table of functions per instruction set.
//
// Two sweeps make an iteration. The row sweep works along axis 1 on blocks of `lanes` rows, the
// column sweep along axis 0 on blocks of `lanes` columns; a block is one cache-sized piece of work
// and the unit that threads share. Arrays of one image, W = lanes:
//   state      [columns/W][rows (+ padding)][re W, im W]   transformed along axis 1, frequencies of
//                                                          axis 1 in digit-reversed positions
//   iterate    [rows/W][columns][re W, im W]               x_k in real space
//   amplitude  [columns/W][rows][W]                        both axes in digit-reversed positions
//   mask       [rows/W][columns][W]                        bytes, -1 inside the support, 0 outside
// A tile of W x W pixels is contiguous in state, so both sweeps read and write whole cache lines.
#pragma once

#include <cstdint>

#include "cpu/engine/plan.h"

namespace symbreak {

template <typename T>
struct Image {
  int rows = 0, columns = 0;
  int64_t state_stride = 0;   // scalars from one block of columns to the next
  AxisPlan<T> along_rows;     // axis 1, length `columns`
  AxisPlan<T> along_columns;  // axis 0, length `rows`
  T gain = 0;                 // 1/(rows columns), the normalisation of the inverse transform
  T* state = nullptr;         // F_1 x_k, or after the column sweep F_1 P_M x_k
  T* second = nullptr;        // a second state: difference map, error; a real image: shrinkwrap
  T* iterate = nullptr;
  const T* amplitude = nullptr;  // times gain; < 0 where not measured
  int8_t* mask = nullptr;
  double* partial = nullptr;  // [blocks] sums or maxima, added up in order of the blocks
};

// Each function works on the blocks [begin, end); `line` is scratch for two lines of blocks.
template <typename T>
struct Kernels {
  int lanes;
  // target = F_1 (inside ? x : outside_gain x)
  void (*forward_rows)(const Image<T>&, T* target, T outside_gain, T* line, int begin, int end);
  // iterate = feed_back(F_1^-1 state, iterate), state = F_1 iterate
  void (*update_rows)(const Image<T>&, T keep, T project, T* line, int begin, int end);
  // the same for the difference map, with P_M f_S(x) in `second`
  void (*difference_rows)(const Image<T>&, T beta, T* line, int begin, int end);
  // target = F_0^-1 P_M F_0 target
  void (*project_columns)(const Image<T>&, T* target, int begin, int end);
  // partial[block] = sum of (|F_0 second| gain - a)^2 where measured; destroys `second`
  void (*residual_columns)(const Image<T>&, int begin, int end);
  // second [columns/W][rows][W] = |x| blurred along the rows. A block here is a pair of blocks of
  // rows, one in the real and one in the imaginary part; so are those of blur_columns.
  void (*blur_rows)(const Image<T>&, const T* transfer, T* line, int begin, int end);
  // second = second blurred along the columns; partial[pair] = maximum, NaN if any value is
  void (*blur_columns)(const Image<T>&, const T* transfer, T* line, int begin, int end);
  // mask = second >= threshold
  void (*threshold_rows)(const Image<T>&, T threshold, int begin, int end);
};

}  // namespace symbreak
