// Both correlations of every pair: their product in frequency space, their peak, their candidates.
#pragma once

#include <limits>

#include "cuda/align_pairs.h"

namespace symbreak {

// (E, R) -> (conj(E) R, E R) times `gain`.
template <typename T>
SYMBREAK_DEVICE void multiply_spectra(Pixel<T>& first, Pixel<T>& second, T gain) {
  const Pixel<T> e = first, r{second.re * gain, second.im * gain};
  first = {e.re * r.re + e.im * r.im, e.re * r.im - e.im * r.re};
  second = {e.re * r.re - e.im * r.im, e.re * r.im + e.im * r.re};
}

// 1 / pixels, since the inverse transform is not normalised.
template <typename T>
struct MultiplySpectra {
  Pixel<T>* spectra;  // [items, 2, *padded]
  int64_t pixels;

  SYMBREAK_DEVICE void operator()(unsigned item, int64_t n) const {
    Pixel<T>* first = spectra + 2 * item * pixels + n;
    multiply_spectra(first[0], first[pixels], T(1) / T(pixels));
  }
};

template <typename T>
SYMBREAK_DEVICE T squared_modulus(const Pixel<T>& z) {
  return z.re * z.re + z.im * z.im;
}

template <typename T>
struct CorrelationPower {
  const Pixel<T>* correlations;  // [items, 2, *padded]
  int64_t count;                 // 2 * pixels
  SYMBREAK_DEVICE T operator()(unsigned item, int64_t n) const {
    return squared_modulus(correlations[item * count + n]);
  }
};

template <typename T>
struct StoreLargest {
  PairState<T>* states;
  SYMBREAK_DEVICE void operator()(unsigned item, unsigned, T largest) const {
    states[item].largest = largest;
  }
};

// Collects the ranks of all entries within rounding of the peak, in no order; a block per tile of
// kReducedPerBlock entries, of which most end at a look at the tile's own peak.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads)
    select_kernel(Pairs<T> pairs, CorrelationPower<T> power, const T* tile_peaks, unsigned tiles) {
  const unsigned item = blockIdx.x / tiles, tile = blockIdx.x % tiles;
  PairState<T>& state = pairs.states[item];
  if (!state.comparable()) return;
  const T least =
      static_cast<T>(least_power(state.largest, state.norms(), std::numeric_limits<T>::epsilon()));
  if (tile_peaks[blockIdx.x] < least) return;
  const int64_t begin = tile * kReducedPerBlock, pixels = pairs.padded.pixels();
  const int64_t end = std::min(begin + kReducedPerBlock, power.count);
  for (int64_t n = begin + threadIdx.x; n < end; n += kImageThreads) {
    if (power(item, n) < least) continue;
    const bool flipped = n >= pixels;
    const int64_t rank = pairs.lags.rank(flipped, unsigned(n - flipped * pixels));
    if (rank < 0) continue;
    const unsigned place = atomicAdd(&state.found, 1u);
    if (place < kMaxCandidates) state.ranks[place] = rank;
  }
}

}  // namespace symbreak
