// What the symmetry operators ask of the kernels, one table of functions per instruction set.
//
// Objects come as windows of [rows, columns, 2] arrays and are transformed along axis 1 first, only
// where they have content, on blocks of `lanes` rows; then along axis 0 on blocks of `lanes`
// columns. An Image holds the padded sizes, the plans and the arrays `state` and `second`, both
// [columns/W][rows (+ padding)][re W, im W] as in the phasing engine. Nothing is normalised.
#pragma once

#include <cstdint>

#include "cpu/engine/kernels.h"

namespace symbreak {

// A rectangle of an array [.., columns, 2] that holds the content.
template <typename T>
struct Window {
  const T* x = nullptr;    // its first pixel
  int64_t row_stride = 0;  // scalars
  int64_t rows = 0, columns = 0;
};

// Content on its way to a transform: scale[0] scale[1] x, a power of two in factors that T holds.
template <typename T>
struct ScaledWindow {
  Window<T> window;
  int64_t readable_rows = 0;  // rows of the array from the window's first one on
  T scale[2] = {1, 1};
};

// Each sweep works on the blocks [begin, end); `line` is scratch for two lines of blocks.
template <typename T>
struct SymmetryKernels {
  int lanes;

  // target = F_1 content, frequencies in digit-reversed positions
  void (*transform_rows)(const Image<T>&, const ScaledWindow<T>&, T* target, T* line, int begin,
                         int end);
  // the same with frequencies in their natural order; positions as in LengthPlan
  void (*transform_rows_in_order)(const Image<T>&, const ScaledWindow<T>&, const int* positions,
                                  T* target, T* line, int begin, int end);
  // (state, second) = (F_0^-1 conj(E) R, F_0^-1 E R) of E = F_0 state, R = F_0 second, of which the
  // first rows[0] and rows[1] rows are not black
  void (*correlate_columns)(const Image<T>&, const int* rows, int begin, int end);
  // peaks[row] = the largest |F_1^-1 state|^2 of each row
  void (*row_peaks)(const Image<T>&, T* state, T* peaks, T* line, int begin, int end);
  // powers[column][lane] = |F_1^-1 state|^2 of one block of rows
  void (*row_powers)(const Image<T>&, T* state, T* powers, T* line, int block);
  // amplitude[frequency, column] = gain |F_0 state|, where the first `rows` rows are not black
  void (*amplitude_columns)(const Image<T>&, int rows, const int* frequency, T gain, T* amplitude,
                            int begin, int end);

  // Whether rows hold content, and columns: adds the bits of |x| to `bits`, integers of the size of
  // T, one of each column of the [rows, width] numbers. Returns the largest |x|; of those, infinity
  // and then NaN are the largest.
  T (*scan_content)(const T* x, int64_t rows, int64_t width, char* occupied, void* bits);

  // y = (c + is) C^f x for `count` pixels; flipped, C conjugates and x is read backwards.
  void (*turned_row)(const T* x, T* y, int64_t count, bool flipped, T c, T s);

  // All sums in float64. Of a plane of [count, width] numbers, width = 2 columns: columns[i] += the
  // sum of column i; if asked for, rows[2 r], rows[2 r + 1] += the sums of row r at even and odd
  // places. Returns the sum of all absolute values. The same bits with every instruction set.
  double (*line_sums)(const T* x, int64_t count, int64_t width, double* columns, double* rows,
                      bool with_rows);
  // Of |scale x|^2:
  double (*power)(const Window<T>&, double scale);
  // sum[0] + i sum[1] = sum of conj(C^f e) r, each times its scale. Flipped, C conjugates and the
  // pixels of e are read from the first one backwards along both axes; e.rows and e.columns are not
  // looked at.
  void (*inner_product)(const Window<T>& e, const Window<T>& r, bool flipped, const double* scale,
                        double* sum);
  // sum of |turn C^f e - r|^2, turn[0] + i turn[1] a unit number
  double (*squared_difference)(const Window<T>& e, const Window<T>& r, bool flipped,
                               const double* turn);
};

template <typename T>
const SymmetryKernels<T>& symmetry_kernels();

}  // namespace symbreak
