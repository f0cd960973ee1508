// What a reconstruction starts from: amplitudes in range, a first iterate and a first support.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/random.h"
#include "cpu/fourier.h"
#include "cpu/phasing_pointwise.h"

namespace symbreak {

// The power of two that brings the largest measured amplitude into [1/2, 1): the iteration works in
// that range, where no square overflows, and scaling by it changes no bit of any result.
template <typename T>
T range_factor(const T* amplitude, const bool* valid, int64_t pixels) {
  T peak = 0;
  for (int64_t n = 0; n < pixels; ++n) {
    if (valid == nullptr || valid[n]) peak = std::max(peak, amplitude[n]);
  }
  int exponent = 0;
  if (peak > 0 && std::isfinite(peak)) std::frexp(peak, &exponent);
  // Its inverse must be a normal number too.
  constexpr int kLargest = std::numeric_limits<T>::max_exponent - 2;
  return std::ldexp(T(1), std::clamp(-exponent, -kLargest, kLargest));
}

// The amplitude as the engines want it: scaled, and -1 where it was not measured.
template <typename T>
void mark_measured(const T* amplitude, const bool* valid, T factor, T* marked, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    marked[n] = valid == nullptr || valid[n] ? factor * amplitude[n] : T(-1);
  });
}

// x = F^-1(a e^{2 pi i u}), u random for each pixel; a := 0 where not measured.
template <typename T>
void random_start(const Grid& grid, const T* amplitude, int64_t seed, int64_t start, T* x) {
  const int64_t pixels = grid.pixels();
  for_pixels(pixels, [=](int64_t n) {
    const double phase = 2 * M_PI * random_turn(seed, start, n);
    const double a = amplitude[n] < 0 ? 0.0 : double(amplitude[n]);
    x[2 * n] = static_cast<T>(a * std::cos(phase));
    x[2 * n + 1] = static_cast<T>(a * std::sin(phase));
  });
  Spectrum<T> object = Fourier<T>(grid).inverse(x);
  std::copy_n(object.data(), 2 * pixels, x);
}

template <typename T>
void scale(const T* from, T factor, T* to, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    to[2 * n] = factor * from[2 * n];
    to[2 * n + 1] = factor * from[2 * n + 1];
  });
}

}  // namespace symbreak
