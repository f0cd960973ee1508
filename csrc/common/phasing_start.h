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

// e^{2 pi i u} with u = word / 2^32, exact to some 1e-16: Taylor's series within an eighth of a
// turn of the nearest quarter. No branch, no call: a loop over it becomes vector instructions.
SYMBREAK_HD Complex<double> unit_phase(uint32_t word) {
  const uint32_t quarter = (word + 0x20000000u) >> 30;  // the fourth one is the first again
  const double x = static_cast<int32_t>(word - (quarter << 30)) * (2 * kPi * 0x1p-32), y = x * x;
  const double c =
      1 + y * (-1. / 2 +
               y * (1. / 24 + y * (-1. / 720 + y * (1. / 40320 +
                                                    y * (-1. / 3628800 +
                                                         y * (1. / 479001600 +
                                                              y * (-1. / 87178291200 +
                                                                   y * (1. / 20922789888000))))))));
  const double s =
      x +
      x * y *
          (-1. / 6 +
           y * (1. / 120 +
                y * (-1. / 5040 +
                     y * (1. / 362880 + y * (-1. / 39916800 +
                                             y * (1. / 6227020800 + y * (-1. / 1307674368000)))))));
  const double swap = quarter & 1, keep = 1 - swap;  // choices would be branches to the compiler
  const double re_sign = 1 - double(int((quarter + 1) & 2)), im_sign = 1 - double(int(quarter & 2));
  return {re_sign * (keep * c + swap * s), im_sign * (keep * s + swap * c)};
}

// What stands for an amplitude of which nothing is known: a bound, as of a saturated pixel, that
// every |X| obeys. As in projections.h, |X|^2 is kDarkIntensity at least; a bound times the
// normalisation of an inverse transform is still a normal number.
inline constexpr double kNoBound = 1e-28;

// An amplitude as the engines want it: in range; where the pixel was saturated, so that it is only
// the least that it can be, negative; -kNoBound where nothing is known.
template <typename T>
SYMBREAK_HD T marked_amplitude(T amplitude, bool measured, bool saturated, T factor) {
  const T scaled = factor * amplitude;
  if (saturated) return scaled > T(kNoBound) ? -scaled : T(-kNoBound);
  return measured ? scaled : T(-kNoBound);
}

// What is known of it: the amplitude, or its bound, 0 where there is none.
template <typename T>
SYMBREAK_HD T known_amplitude(T marked) {
  return marked >= 0 ? marked : marked == T(-kNoBound) ? T(0) : -marked;
}

// The first support is where the autocorrelation is above a part of its maximum: the large one.
// Where nothing is known of zero frequency, that may be far larger than the object, and lets in
// what no measured pixel speaks against, so that if shrinkwrap follows the small one is taken. But
// where so much is missing that it is no more than a spike, less than a tenth of the large one, it
// would not grow back (bench/first_supports.py).
template <typename T>
struct FirstLevels {
  T small, large;  // of the autocorrelation's square, whose maximum is `peak`

  SYMBREAK_HD explicit FirstLevels(T peak)
      : small(T(0.15 * 0.15 * double(peak))), large(T(0.04 * 0.04 * double(peak))) {}

  // Summed over all pixels this is negative if the small support is a spike.
  SYMBREAK_HD double weight(T power) const { return power > small ? 9 : power > large ? -1 : 0; }
  // `zero`: the marked amplitude of zero frequency; `weight`: that sum.
  SYMBREAK_HD T chosen(bool has_shrinkwrap, T zero, double weight) const {
    return has_shrinkwrap && zero == T(-kNoBound) && weight >= 0 ? small : large;
  }
};

// a e^{2 pi i u}, u random for each pixel.
template <typename T>
SYMBREAK_HD Complex<T> random_start(T amplitude, int64_t seed, int64_t start, int64_t pixel) {
  const Complex<double> phase = unit_phase(random_word(seed, start, pixel));
  const double a = known_amplitude(amplitude);
  return {T(a * phase.re), T(a * phase.im)};
}

// exp(-2 pi^2 sigma^2 f^2) along an axis: the transfer function of a periodic Gaussian, where
// f = n/size in (-1/2, 1/2] is the frequency of index n.
SYMBREAK_HD double gaussian_transfer(int64_t n, int64_t size, double sigma) {
  const double f = double(n < size - n ? n : size - n) / double(size);
  return exp(-2 * kPi * kPi * sigma * sigma * f * f);
}

}  // namespace symbreak
