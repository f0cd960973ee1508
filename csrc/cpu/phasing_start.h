// What a reconstruction starts from: amplitudes in range, a first iterate and a first support.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/phasing_start.h"
#include "cpu/fourier.h"
#include "cpu/phasing_pointwise.h"
#include "cpu/random_phases.h"

namespace symbreak {

template <typename T>
T range_factor(const T* amplitude, const bool* valid, const bool* saturated, int64_t pixels) {
  T peak = 0;
  for (int64_t n = 0; n < pixels; ++n) {
    const bool known = valid == nullptr || valid[n] || (saturated != nullptr && saturated[n]);
    if (known) peak = std::max(peak, amplitude[n]);
  }
  return range_factor(peak);
}

template <typename T>
void mark_measured(const T* amplitude, const bool* valid, const bool* saturated, T factor,
                   T* marked, int64_t pixels) {
  for_pixels(
      pixels,
      [=](int64_t n) {
        marked[n] = marked_amplitude(amplitude[n], valid == nullptr || valid[n],
                                     saturated != nullptr && saturated[n], factor);
      },
      kPixelsPerTaskOnce);
}

// x = F^-1(a e^{2 pi i u}).
template <typename T>
void random_start(const Grid& grid, const T* amplitude, int64_t seed, int64_t start, T* x) {
  const int64_t pixels = grid.pixels();
  const int64_t blocks = (pixels + kPhaseBlock - 1) / kPhaseBlock;
  torch::stable::parallel_for(
      0, blocks, kPixelsPerTaskOnce / kPhaseBlock, [&](int64_t begin, int64_t end) {
        for (int64_t first = begin * kPhaseBlock; first < end * kPhaseBlock; first += kPhaseBlock) {
          const int count = static_cast<int>(std::min<int64_t>(kPhaseBlock, pixels - first));
          int64_t number[kPhaseBlock];
          T a[kPhaseBlock] = {}, re[kPhaseBlock], im[kPhaseBlock];
          for (int i = 0; i < kPhaseBlock; ++i) number[i] = first + i;
          std::copy_n(amplitude + first, count, a);
          random_phases(number, a, seed, start, re, im);
          for (int i = 0; i < count; ++i) {
            x[2 * (first + i)] = re[i];
            x[2 * (first + i) + 1] = im[i];
          }
        }
      });
  Spectrum<T> object = Fourier<T>(grid).inverse(x);
  std::copy_n(object.data(), 2 * pixels, x);
}

template <typename T>
void scale(const T* from, T factor, T* to, int64_t pixels) {
  for_pixels(
      pixels,
      [=](int64_t n) {
        to[2 * n] = factor * from[2 * n];
        to[2 * n + 1] = factor * from[2 * n + 1];
      },
      kPixelsPerTaskOnce);
}

}  // namespace symbreak
