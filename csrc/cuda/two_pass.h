// The two sweeps of an iteration: along rows inverse FFT, real-space update and FFT; along columns
// FFT, modulus and inverse FFT. Each line stays on chip through all three.
#pragma once

#include "cuda/axis.h"
#include "cuda/phasing_updates.h"

namespace symbreak {

// Lines of all images, one after the other; a state is transformed along its rows, each row's
// frequencies in the order of AxisPlan::row_position.
template <typename T>
struct RowSweep {
  const Pixel<T>* from = nullptr;  // the state that gives p, or null: p = 0
  Pixel<T>* to = nullptr;          // the state that x' goes to, or null
  Pixel<T>* x = nullptr;
  const uint8_t* support = nullptr;
  bool store = false;    // x' replaces x
  bool modulus = false;  // x' = |x|, whatever the update
  T* bright = nullptr;   // if not null: only writes Re p, two numbers apart
  Update<T> update{};
  const Pixel<T>* twiddles = nullptr;
  int64_t lines = 0;
};

enum class ColumnRule { kProject, kResidual, kBlur };

template <typename T>
struct ColumnSweep {
  Pixel<T>* state = nullptr;     // [images, rows, columns], in place
  const T* amplitude = nullptr;  // [items, rows, columns] in the order of the frequencies here
  T gain = 0;                    // of the inverse transform
  unsigned first = 0, starts = 1;
  int columns = 0;
  ColumnRule rule = ColumnRule::kProject;
  const T* transfer_rows = nullptr;     // kBlur: factors along a column, and
  const T* transfer_columns = nullptr;  // from column to column
  double* partial = nullptr;  // kResidual: [images, columns / tile] sums; no state comes out
  const Pixel<T>* twiddles = nullptr;
};

// Of length 0 if there are no kernels for this one.
AxisPlan two_pass_axis(int64_t length);

// Shared memory of a block of the column sweep, the most that an iteration needs.
template <typename T>
int64_t column_sweep_bytes(int64_t length);

template <typename T>
void launch_row_sweep(Stream stream, int length, const RowSweep<T>& sweep);
// Before the first launch_column_sweep of a length on the current device.
template <typename T>
void allow_column_sweep(int length);
template <typename T>
void launch_column_sweep(Stream stream, int length, int64_t images, const ColumnSweep<T>& sweep);

// Columns that a block takes together: they fill a memory transaction of 128 bytes, or of 64 where
// the lines are long.
template <typename T>
SYMBREAK_HD constexpr int columns_per_tile(int length) {
  return (length > 512 ? 64 : 128) / int(2 * sizeof(T));
}

}  // namespace symbreak
