// Pairs with more candidates than a transform in T tells apart: a block correlates each of them
// again in float64, and keeps the first candidates in the order of shifts.
#pragma once

#include <limits>

#include "cuda/correlation.h"

namespace symbreak {

inline constexpr int kPreciseThreads = 512;
inline constexpr unsigned kRootsInShared = 2048;

// e^{-+2 pi i m / length}, from a table where it fits.
struct Roots {
  Pixel<double>* table;  // shared, [kRootsInShared]
  unsigned length;
  double sign;

  SYMBREAK_DEVICE Pixel<double> compute(unsigned m) const {
    const double turns = 2 * m > length ? double(m) - double(length) : double(m);
    Pixel<double> root;
    sincospi(sign * 2 * turns / length, &root.im, &root.re);
    return root;
  }
  // To be called by the whole block.
  SYMBREAK_DEVICE void prepare() const {
    __syncthreads();
    for (unsigned m = threadIdx.x; m < length && length <= kRootsInShared; m += blockDim.x) {
      table[m] = compute(m);
    }
    __syncthreads();
  }
  SYMBREAK_DEVICE Pixel<double> operator()(unsigned m) const {
    return length <= kRootsInShared ? table[m] : compute(m);
  }
};

SYMBREAK_DEVICE unsigned radix_of(unsigned n) {
  if (n % 4 == 0) return 4;
  for (unsigned r = 2; r * r <= n; ++r) {
    if (n % r == 0) return r;
  }
  return n;
}

// Stockham's transform along one axis of [outer, length, inner], any length, from `x` by way of
// `other`; returns which of the two holds the result. One thread per output: with n s = length,
//   y[q + s (r p + k)] = sum_j x[q + s (p + j n/r)] e^{-2 pi i k (p + j n/r) / n}.
SYMBREAK_DEVICE Pixel<double>* transform_axis(Pixel<double>* x, Pixel<double>* other,
                                              unsigned outer, unsigned length, unsigned inner,
                                              const Roots& root) {
  root.prepare();
  unsigned n = length, s = 1;
  while (n > 1) {
    const unsigned r = radix_of(n), part = n / r;
    for (unsigned i = threadIdx.x; i < outer * length * inner; i += blockDim.x) {
      const unsigned out = i / inner % length;
      const unsigned q = out % s, k = out / s % r, p = out / s / r;
      const Pixel<double>* from = x + (i - out * inner) + int64_t{q + s * p} * inner;
      Pixel<double> sum{0, 0};
      unsigned m = k * p;
      for (unsigned j = 0; j < r; ++j, from += int64_t{s} * part * inner) {
        const Pixel<double> w = root(m * s), value = *from;
        sum.re += value.re * w.re - value.im * w.im;
        sum.im += value.re * w.im + value.im * w.re;
        m += k * part;
        if (m >= n) m -= n;
      }
      other[i] = sum;
    }
    __syncthreads();
    std::swap(x, other);
    n = part;
    s *= r;
  }
  return x;
}

// Both arrays change hands where the result is in `other`.
SYMBREAK_DEVICE void transform(Pixel<double>*& x, Pixel<double>*& other, const Grid& grid,
                               double sign, Pixel<double>* table) {
  unsigned outer = 1, inner = unsigned(grid.pixels());
  for (int axis = 0; axis < 3; ++axis) {
    const unsigned length = unsigned(grid.size[axis]);
    inner /= length;
    if (transform_axis(x, other, outer, length, inner, {table, length, sign}) != x) {
      std::swap(x, other);
    }
    outer *= length;
  }
}

// Correlations of one item in float64; buffer: three arrays of the padded size, the first two of
// which change places with the third. On return [0] and [1] are the correlations.
template <typename T>
SYMBREAK_DEVICE void correlate_precisely(const Pairs<T>& pairs, int64_t item,
                                         Pixel<double>* (&buffer)[3], Pixel<double>* table) {
  const int64_t pixels = pairs.padded.pixels();
  for (int slot = 0; slot < 2; ++slot) {
    const double scale = pairs.states[item].scale(slot);
    const Pixel<T>* x = pairs.x[slot] + item * pairs.grid.pixels();
    for (unsigned n = threadIdx.x; n < pixels; n += blockDim.x) {
      const int64_t from = window_pixel(n, pairs.grid, pairs.padded);
      Pixel<double> value{0, 0};
      if (from >= 0) value = {x[from].re * scale, x[from].im * scale};
      buffer[slot][n] = value;
    }
    __syncthreads();
    transform(buffer[slot], buffer[2], pairs.padded, -1, table);
  }
  for (unsigned n = threadIdx.x; n < pixels; n += blockDim.x) {
    multiply_spectra(buffer[0][n], buffer[1][n], 1.0 / double(pixels));
  }
  __syncthreads();
  for (int slot = 0; slot < 2; ++slot) {
    transform(buffer[slot], buffer[2], pairs.padded, 1, table);
  }
}

// The first kMaxCandidates + 1 ranks with |c|^2 >= least. Whole blocks; warps: shared, [32].
template <typename T, typename Power>
SYMBREAK_DEVICE void keep_first(const Pairs<T>& pairs, PairState<T>& state, const Power& power,
                                double least, unsigned* warps) {
  const unsigned warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int64_t ranks = 2 * pairs.lags.count();
  unsigned found = 0;
  for (int64_t first = 0; first < ranks && found <= kMaxCandidates; first += blockDim.x) {
    const int64_t rank = first + threadIdx.x;
    const bool candidate = rank < ranks && !(power(pairs.lags.index(rank)) < least);
    const unsigned lanes = __ballot_sync(~0u, candidate);
    if (lane == 0) warps[warp] = __popc(lanes);
    __syncthreads();
    unsigned place = found + __popc(lanes & ((1u << lane) - 1));
    for (unsigned w = 0; w < blockDim.x / 32; ++w) {
      if (w < warp) place += warps[w];
      found += warps[w];
    }
    if (candidate && place <= kMaxCandidates) state.ranks[place] = rank;
    __syncthreads();
  }
  if (threadIdx.x == 0) state.found = std::min<unsigned>(found, kMaxCandidates + 1);
}

// One block per item, most of which end at once. work: three arrays [items, *padded] of complex
// doubles, the memory of the transforms in float that are no longer needed; unused for doubles,
// whose correlations are as precise as they get.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPreciseThreads)
    precise_kernel(Pairs<T> pairs, CorrelationPower<T> correlation, Pixel<double>* work0,
                   Pixel<double>* work1, Pixel<double>* work2) {
  SYMBREAK_SHARED(memory);
  double* values = reinterpret_cast<double*>(memory);
  const unsigned item = blockIdx.x;
  PairState<T>& state = pairs.states[item];
  if (state.found <= kMaxCandidates) return;
  const int64_t pixels = pairs.padded.pixels();
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  if constexpr (sizeof(T) == sizeof(double)) {
    const double least = least_power(state.largest, state.norms(), kEpsilon);
    keep_first(
        pairs, state, [&](int64_t n) { return correlation(item, n); }, least,
        reinterpret_cast<unsigned*>(memory));
  } else {
    Pixel<double>* buffer[3] = {work0 + item * pixels, work1 + item * pixels,
                                work2 + item * pixels};
    correlate_precisely(pairs, item, buffer, reinterpret_cast<Pixel<double>*>(memory));
    const auto power = [&](int64_t n) {
      return squared_modulus(n < pixels ? buffer[0][n] : buffer[1][n - pixels]);
    };
    double largest = 0;
    for (int64_t n = threadIdx.x; n < 2 * pixels; n += blockDim.x) {
      largest = Maximum::of(largest, power(n));
    }
    largest = reduce_block<Maximum>(largest, values);
    keep_first(pairs, state, power, least_power(largest, state.norms(), kEpsilon),
               reinterpret_cast<unsigned*>(memory));
  }
}

}  // namespace symbreak
