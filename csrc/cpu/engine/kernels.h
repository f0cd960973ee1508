// What the schedule loop asks of the kernels, one table of functions per instruction set.
//
// Two sweeps make an iteration. In an image the row sweep works along axis 1 on blocks of `lanes`
// rows, the outer sweep along axis 0 on blocks of `lanes` columns. A volume is a stack of such
// images, its planes: the row sweep goes plane by plane, with transforms along the columns of the
// plane before and after it while the plane is in cache, and the outer sweep goes along the stack.
// A block is one cache-sized piece of work and the unit that threads share.
//
// Arrays of one plane, W = lanes, rows and columns rounded up to whole vectors:
//   state      [columns/W][rows (+ padding)][re W, im W]   transformed along axis 1 (in a volume
//                                                          along both), digit-reversed positions
//   iterate    [rows/W][columns][re W, im W]               x_k in real space
//   mask       [rows/W][columns][W]                        bytes, -1 inside the support, 0 outside
// and one array for all planes:
//   amplitude  [columns/W][rows][W], of a volume [columns/W][rows][planes][W], digit-reversed
// A tile of W x W pixels is contiguous in state, so both sweeps read and write whole cache lines.
// Whatever lies in the rounding is zero, and every sweep leaves it so.
#pragma once

#include <cstdint>

#include "common/feedback.h"
#include "cpu/engine/plan.h"

namespace symbreak {

// Neighbouring lines along a stack that are copied to scratch together: few stay in the first-level
// cache, one would use every page it touches for a cache line only.
constexpr int kOuterRun = 4;

template <typename T>
struct Image {
  int planes = 1, rows = 0, columns = 0;
  int row_blocks = 0, column_blocks = 0;
  int padded_columns = 0;     // of iterate and mask
  int64_t state_stride = 0;   // scalars of state from one block of columns to the next,
  int64_t plane_stride = 0;   // and from one plane to the next
  int64_t real_stride = 0;    // from one block of columns to the next of `second` as a real image
  int64_t plane_pixels = 0;   // of iterate and mask
  AxisPlan<T> along_rows;     // axis 1, length `columns`
  AxisPlan<T> along_columns;  // axis 0, length `rows`
  AxisPlan<T> along_stack;    // length `planes`, if there are more than one
  PhaseCone<T> cone;          // of the object
  T gain = 0;                 // 1/pixels, the normalisation of the inverse transform
  T* state = nullptr;         // transform of x_k, or after the outer sweep of P_M x_k
  T* second = nullptr;        // a second state: difference map, error; a real image: shrinkwrap
  T* iterate = nullptr;       // where nothing is rounded, the memory of the result
  const T* amplitude = nullptr;  // times gain; < 0: see marked_amplitude()
  bool bounded = false;          // of some pixels it is the least
  int8_t* mask = nullptr;
  double* partial = nullptr;  // [blocks] sums or maxima, added up in order of the blocks

  // True where iterate and mask hold more pixels than the grid.
  bool is_rounded() const { return plane_pixels != int64_t{rows} * columns; }
  bool is_volume() const { return planes > 1; }
  int outer_length() const { return is_volume() ? planes : rows; }
  int outer_blocks() const { return is_volume() ? column_blocks * rows : column_blocks; }

  // One plane of a volume.
  Image plane(int index) const {
    Image image = *this;
    image.planes = 1;
    image.state += index * plane_stride;
    image.second += index * plane_stride;
    image.iterate += 2 * index * plane_pixels;
    image.mask += index * plane_pixels;
    image.partial += int64_t{index} * column_blocks;
    return image;
  }
};

// What the sweeps of a correction share; see coherence_sweeps.h. Axes as in the grid: stack,
// columns, rows.
template <typename T>
struct Correction {
  T* held = nullptr;            // what the iteration is held to: image.amplitude
  const T* measured = nullptr;  // what was measured, laid out and scaled alike
  T* coherent = nullptr;        // [likewise] J = |F P_S x|^2, in units of the scaled amplitude
  double* moments = nullptr;    // [outer blocks][kMoments]
  T* change[3] = {};            // along an axis, u = 0, 1, ...: exp(v slope) - 1, v the variance,
  T* slope[3] = {};             // and slope = -2 pi^2 (u / length)^2, the shorter way round
  T share = 1;                  // of the slope in what shares an array with the change
  T peak = 1;                   // a blurred J is nowhere below peak J
  T dark = 0;                   // intensity added to the measured one in the weights
  bool is_volume = false;
  bool fits = false;        // whether derivatives by the variances are needed
  bool ends = false;        // whether only the error is
  bool is_nothing = false;  // whether J is 0 everywhere
};

// The error, and of a fit D = 2 or 3 products of the derivatives with the rest, and D (D + 1) / 2
// with each other, (i, j >= i) in order.
constexpr int kMoments = 10;

// Each function works on the blocks [begin, end); `line` is scratch. The row functions and the
// column functions are given an image or a plane.
template <typename T>
struct Kernels {
  int lanes;
  // target = F_1 (f x + (1 - f) P_C x); without a limit, f x outside the support, x inside
  void (*forward_rows)(const Image<T>&, T* target, T f, T* line, int begin, int end);
  // iterate = what the rule makes of p = F_1^-1 state and of iterate, state = F_1 iterate
  void (*update_rows)(const Image<T>&, const Feedback<T>& rule, T* line, int begin, int end);
  // the same for the difference map, with P_M f_S(x) in `second`
  void (*difference_rows)(const Image<T>&, T beta, T* line, int begin, int end);
  // target = F_0 target and back, not normalised
  void (*forward_columns)(const Image<T>&, T* target, int begin, int end);
  void (*inverse_columns)(const Image<T>&, T* target, int begin, int end);
  // target = F^-1 P_M F target, F along the outer axis
  void (*project_outer)(const Image<T>&, T* target, T* line, int begin, int end);
  // target = F^-1 target along the outer axis, not normalised
  void (*inverse_outer)(const Image<T>&, T* target, T* line, int begin, int end);
  // partial[block] = sum of (|F second| gain - a)^2 where measured; may destroy `second`
  void (*residual_outer)(const Image<T>&, T* line, int begin, int end);
  // second [columns/W][rows][W] = |x| blurred along the rows. A block here is a pair of blocks of
  // rows, one in the real and one in the imaginary part; pairs likewise in the other two.
  void (*blur_rows)(const Image<T>&, const T* transfer, T* line, int begin, int end);
  // second = second blurred along the columns; partial[pair] = maximum, NaN if any value is
  void (*blur_columns)(const Image<T>&, const T* transfer, T* line, int begin, int end);
  // the same along the stack of a volume
  void (*blur_stack)(const Image<T>&, const T* transfer, T* line, int begin, int end);
  // mask = second >= threshold
  void (*threshold_rows)(const Image<T>&, T threshold, int begin, int end);
  // coherent = |F second|^2 along the outer axis, second = F^-1 of it; partial[block] = its sum
  void (*coherent_outer)(const Image<T>&, const Correction<T>&, T* line, int begin, int end);
  // second, state = F_1 of the changes and slopes of F_1^-1 second, of plane z or an image (z = 0)
  void (*blurred_rows)(const Image<T>&, const Correction<T>&, int z, T* line, int begin, int end);
  // held = what is measured, corrected; moments[block]. Destroys second and state.
  void (*corrected_outer)(const Image<T>&, const Correction<T>&, T* line, int begin, int end);
};

}  // namespace symbreak
