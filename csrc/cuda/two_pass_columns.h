// The column sweep: a block takes a few neighbouring columns, and so do neighbouring threads.
#pragma once

#include "cuda/image_kernels.h"
#include "cuda/line_passes.h"
#include "cuda/two_pass.h"

namespace symbreak {

template <typename T, class Axis>
struct ColumnTile {
  static constexpr int kColumns = columns_per_tile<T>(Axis::kLength);
  static constexpr int kItems = kColumns * Item<Axis, 0>::kCount;
  static constexpr int kThreads = kItems >= 256 ? 256 : 128;
  static constexpr int64_t kBytes =
      int64_t(kColumns * Axis::kLength + Axis::kTwiddles) * sizeof(Pixel<T>);

  Pixel<T>* points;

  template <class Item>
  struct ItemPoints {
    Pixel<T>* first;
    SYMBREAK_DEVICE Pixel<T>& operator[](int j) const {
      return first[j * Item::kStride * kColumns];
    }
  };
  template <class Item>
  SYMBREAK_DEVICE ItemPoints<Item> at(int column, const Item& item) const {
    return {points + item.base * kColumns + column};
  }
};

// What happens between the two transforms to the points of one item of the last pass, whose
// amplitudes are `a`.
template <typename T, class Axis>
SYMBREAK_DEVICE double apply_rule(const ColumnSweep<T>& sweep,
                                  const Item<Axis, Axis::kPasses - 1>& item, int column,
                                  const T (&a)[Item<Axis, Axis::kPasses - 1>::kRadix],
                                  Complex<T> (&v)[Item<Axis, Axis::kPasses - 1>::kRadix]) {
  using Last = Item<Axis, Axis::kPasses - 1>;
  double sum = 0;
  if (sweep.rule == ColumnRule::kProject) {
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      v[k] = project_modulus<DeviceMath, T>(v[k], a[k] * sweep.gain, sweep.gain);
    }
  } else if (sweep.rule == ColumnRule::kBlur) {
    const T along = sweep.transfer_columns[column] * sweep.gain;
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      const T weight = along * sweep.transfer_rows[item.position(k)];
      v[k] = {weight * v[k].re, weight * v[k].im};
    }
  } else {
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      const double amplitude = a[k];
      sum += residual<DeviceMath, double>(Complex<double>{v[k].re, v[k].im}, amplitude, 1.0);
    }
  }
  return sum;
}

template <typename T, class Axis>
SYMBREAK_KERNEL void __launch_bounds__((ColumnTile<T, Axis>::kThreads))
    column_sweep_kernel(ColumnSweep<T> sweep) {
  SYMBREAK_SHARED(memory);
  using Tile = ColumnTile<T, Axis>;
  using First = Item<Axis, 0>;
  using Last = Item<Axis, Axis::kPasses - 1>;
  constexpr int kThreads = Tile::kThreads, kColumns = Tile::kColumns;
  Pixel<T>* const twiddles = reinterpret_cast<Pixel<T>*>(memory);
  const Tile tile{twiddles + Axis::kTwiddles};
  for (int i = threadIdx.x; i < Axis::kTwiddles; i += kThreads) twiddles[i] = sweep.twiddles[i];
  const unsigned tiles = sweep.columns / kColumns;
  const unsigned image = blockIdx.x / tiles, first_column = blockIdx.x % tiles * kColumns;
  const int64_t pixels = int64_t{Axis::kLength} * sweep.columns;
  Pixel<T>* const state = sweep.state + image * pixels + first_column;
  __syncthreads();

  for (int i = threadIdx.x; i < Tile::kItems; i += kThreads) {
    const int column = i % kColumns;
    const First item(i / kColumns);
    Complex<T> v[First::kRadix];
    SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) {
      v[j] = to_complex(state[item.position(j) * sweep.columns + column]);
    }
    item.forward(v, twiddles);
    const auto points = tile.at(column, item);
    SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) points[j] = to_pixel(v[j]);
  }
  __syncthreads();
  middle_pass<Axis, Direction::kForward, kThreads, true>(tile, kColumns, twiddles);

  const unsigned image_item = (sweep.first + image) / sweep.starts;
  const T* const amplitude = sweep.amplitude + image_item * pixels + first_column;
  double sum = 0;
  for (int i = threadIdx.x; i < kColumns * Last::kCount; i += kThreads) {
    const int column = i % kColumns;
    const Last item(i / kColumns);
    // The amplitudes are asked for first: they come from far away while the transform is computed.
    T a[Last::kRadix];
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      a[k] = amplitude[item.position(k) * sweep.columns + column];
    }
    schedule_fence();
    const auto points = tile.at(column, item);
    Complex<T> v[Last::kRadix];
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) v[k] = to_complex(points[k]);
    item.forward(v, twiddles);
    sum += apply_rule<T, Axis>(sweep, item, int(first_column) + column, a, v);
    item.inverse(v, twiddles);
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) points[k] = to_pixel(v[k]);
  }
  __syncthreads();
  if (sweep.rule == ColumnRule::kResidual) {
    sum = reduce_block<Sum>(sum, reinterpret_cast<double*>(memory));
    if (threadIdx.x == 0) sweep.partial[blockIdx.x] = sum;
    return;
  }
  middle_pass<Axis, Direction::kInverse, kThreads, true>(tile, kColumns, twiddles);
  for (int i = threadIdx.x; i < Tile::kItems; i += kThreads) {
    const int column = i % kColumns;
    const First item(i / kColumns);
    const auto points = tile.at(column, item);
    Complex<T> v[First::kRadix];
    SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) v[j] = to_complex(points[j]);
    item.inverse(v, twiddles);
    SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) {
      state[item.position(j) * sweep.columns + column] = to_pixel(v[j]);
    }
  }
}

}  // namespace symbreak
