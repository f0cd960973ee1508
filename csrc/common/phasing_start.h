// What a reconstruction starts from, per pixel: the formulas that all machines share.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "common/fft.h"
#include "common/host_device.h"
#include "common/random.h"

namespace symbreak {

inline constexpr double kPi = 3.14159265358979323846;
inline constexpr double kAutocorrelationThreshold = 0.04;  // of its maximum

// The power of two that brings `peak`, the largest measured amplitude, into [1/2, 1): the iteration
// works in that range, where no square overflows, and scaling by it changes no bit of any result.
template <typename T>
SYMBREAK_HD T range_factor(T peak) {
  int exponent = 0;
  if (peak > 0 && peak <= std::numeric_limits<T>::max()) frexp(double(peak), &exponent);
  // Its inverse must be a normal number too.
  constexpr int kLargest = std::numeric_limits<T>::max_exponent - 2;
  const int power = -exponent < -kLargest ? -kLargest : -exponent > kLargest ? kLargest : -exponent;
  return T(ldexp(1.0, power));
}

// a e^{2 pi i u}, u random for each pixel; 0 where not measured (a < 0).
template <typename T>
SYMBREAK_HD Complex<T> random_start(T amplitude, int64_t seed, int64_t start, int64_t pixel) {
  const double phase = 2 * kPi * random_turn(seed, start, pixel);
  const double a = amplitude < 0 ? 0.0 : double(amplitude);
  return {T(a * cos(phase)), T(a * sin(phase))};
}

// exp(-2 pi^2 sigma^2 f^2) along an axis: the transfer function of a periodic Gaussian, where
// f = n/size in (-1/2, 1/2] is the frequency of index n.
SYMBREAK_HD double gaussian_transfer(int64_t n, int64_t size, double sigma) {
  const double f = double(n < size - n ? n : size - n) / double(size);
  return exp(-2 * kPi * kPi * sigma * sigma * f * f);
}

}  // namespace symbreak
