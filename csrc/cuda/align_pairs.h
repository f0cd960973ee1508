// Pairs of objects to be aligned on a GPU, what becomes known of each, and their first two passes.
#pragma once

#include "common/alignment.h"
#include "common/box.h"
#include "cuda/image_kernels.h"
#include "cuda/padding.h"

namespace symbreak {

// What is known of one pair; zeroed before the first pass.
template <typename T>
struct PairState {
  using Bits = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;

  Bits peak[2];     // the largest |component| of estimate and reference, as Magnitude's integer
  int reach[3][2];  // of the estimate's content [lo, hi): size - lo, and hi
  double power[2];  // sum of |x|^2, scaled
  T largest;        // |c|^2 over both correlations
  unsigned found;   // how many candidates there are, also beyond those kept
  int64_t ranks[kMaxCandidates + 1];
  IndexMap map;  // the best element, and
  T phase;
  Pixel<double> turn;  // e^{i phase}

  SYMBREAK_DEVICE bool finite() const {
    constexpr auto kInfinity = static_cast<Bits>(Magnitude<T>::kInfinity);
    return peak[0] < kInfinity && peak[1] < kInfinity;
  }
  SYMBREAK_DEVICE bool comparable() const { return finite() && peak[0] > 0 && peak[1] > 0; }
  SYMBREAK_DEVICE double scale(int slot) const {
    using Int = typename Magnitude<T>::Int;
    return scale_to_one(std::bit_cast<T>(static_cast<Int>(peak[slot])));
  }
  SYMBREAK_DEVICE double norms() const { return sqrt(power[0]) * sqrt(power[1]); }
};

// Slot 0 is the estimate, 1 the reference.
template <typename T>
struct Pairs {
  const Pixel<T>* x[2];  // [items, depth, rows, columns]
  int64_t items;
  Grid grid, padded;
  Lags lags;
  bool wrap;
  PairState<T>* states;  // [items]
};

// Peaks and the extent of the estimate; a block per piece of kReducedPerBlock pixels.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads)
    survey_pairs_kernel(Pairs<T> pairs, unsigned blocks_per_item) {
  using Bits = typename PairState<T>::Bits;
  SYMBREAK_SHARED(memory);
  PairState<T>& block = *reinterpret_cast<PairState<T>*>(memory);
  if (threadIdx.x < 2) block.peak[threadIdx.x] = 0;
  if (threadIdx.x < 6) block.reach[threadIdx.x / 2][threadIdx.x % 2] = 0;
  __syncthreads();
  const int64_t item = blockIdx.x / blocks_per_item, pixels = pairs.grid.pixels();
  const int64_t begin = int64_t(blockIdx.x % blocks_per_item) * kReducedPerBlock;
  const int64_t end = std::min(begin + kReducedPerBlock, pixels);
  const int size[3] = {int(pairs.grid.size[0]), int(pairs.grid.size[1]), int(pairs.grid.size[2])};
  Bits peak[2] = {0, 0};
  int reach[3][2] = {};
  for (int64_t n = begin + threadIdx.x; n < end; n += kImageThreads) {
    Bits largest[2];
    SYMBREAK_UNROLL for (int slot = 0; slot < 2; ++slot) {
      const Pixel<T> value = pairs.x[slot][item * pixels + n];
      largest[slot] = static_cast<Bits>(std::max(magnitude(value.re), magnitude(value.im)));
      peak[slot] = std::max(peak[slot], largest[slot]);
    }
    if (largest[0] == 0) continue;
    const unsigned row = unsigned(n) / size[2];
    const int at[3] = {int(row / size[1]), int(row % size[1]), int(unsigned(n) % size[2])};
    SYMBREAK_UNROLL for (int axis = 0; axis < 3; ++axis) {
      reach[axis][0] = std::max(reach[axis][0], size[axis] - at[axis]);
      reach[axis][1] = std::max(reach[axis][1], at[axis] + 1);
    }
  }
  const auto join = [&](PairState<T>& into, const Bits(&peaks)[2], const int (&reaches)[3][2]) {
    SYMBREAK_UNROLL for (int slot = 0; slot < 2; ++slot) atomicMax(&into.peak[slot], peaks[slot]);
    SYMBREAK_UNROLL for (int i = 0; i < 6; ++i) {
      atomicMax(&into.reach[i / 2][i % 2], reaches[i / 2][i % 2]);
    }
  };
  join(block, peak, reach);
  __syncthreads();
  if (threadIdx.x == 0) join(pairs.states[item], block.peak, block.reach);
}

// Writes pixel n of the padded array of image 2 item + slot: scaled so that the peak is in [1, 2),
// black around the window and where there is nothing to compare; returns its |.|^2.
template <typename T>
struct LoadPadded {
  Pairs<T> pairs;
  Pixel<T>* to;  // [items, 2, *padded]

  SYMBREAK_DEVICE double operator()(unsigned image, int64_t n) const {
    const unsigned item = image / 2;
    const PairState<T>& state = pairs.states[item];
    const int64_t from = window_pixel(unsigned(n), pairs.grid, pairs.padded);
    Pixel<T> value{0, 0};
    double power = 0;
    if (from >= 0 && state.comparable()) {
      const double scale = state.scale(image % 2);
      value = pairs.x[image % 2][item * pairs.grid.pixels() + from];
      const double re = value.re * scale, im = value.im * scale;
      value = {static_cast<T>(re), static_cast<T>(im)};
      power = re * re + im * im;
    }
    to[image * pairs.padded.pixels() + n] = value;
    return power;
  }
};

template <typename T>
struct StorePower {
  PairState<T>* states;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, double power) const {
    states[image / 2].power[image % 2] = power;
  }
};

}  // namespace symbreak
