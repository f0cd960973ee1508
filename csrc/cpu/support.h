// The support: from the autocorrelation at the start, by shrinkwrap later.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "common/bright.h"
#include "common/phasing_start.h"
#include "cpu/fourier.h"
#include "cpu/phasing_pointwise.h"

namespace symbreak {

// The first support, from the autocorrelation F^-1(a^2) with a := 0 where nothing is known of it.
template <typename T>
void autocorrelation_support(const Grid& grid, const T* amplitude, bool has_shrinkwrap,
                             uint8_t* support) {
  const int64_t pixels = grid.pixels();
  std::vector<T> intensity(2 * pixels, T(0));  // [*grid, 2]
  for (int64_t n = 0; n < pixels; ++n) {
    const T a = known_amplitude(amplitude[n]);
    intensity[2 * n] = a * a;
  }
  Spectrum<T> transformed = Fourier<T>(grid).inverse(intensity.data());
  const T* c = transformed.data();
  const auto power = [c](int64_t n) { return c[2 * n] * c[2 * n] + c[2 * n + 1] * c[2 * n + 1]; };
  T peak = 0;
  for (int64_t n = 0; n < pixels; ++n) peak = std::max(peak, power(n));
  const FirstLevels<T> levels(peak);
  double weight = 0;
  for (int64_t n = 0; n < pixels; ++n) weight += levels.weight(power(n));
  const T level = levels.chosen(has_shrinkwrap, amplitude[0], weight);
  for (int64_t n = 0; n < pixels; ++n) support[n] = power(n) > level;
}

template <typename T>
std::vector<T> gaussian_transfer(int64_t size, double sigma) {
  std::vector<T> transfer(size);
  for (int64_t n = 0; n < size; ++n) transfer[n] = T(gaussian_transfer(n, size, sigma));
  return transfer;
}

// |x| blurred by a periodic Gaussian, in the real parts of the result.
template <typename T>
Spectrum<T> blurred_modulus(const Grid& grid, const T* x, double sigma) {
  const int64_t pixels = grid.pixels(), rows = grid.size[1], columns = grid.size[2];
  std::vector<T> modulus(2 * pixels, T(0));  // [*grid, 2]
  for_pixels(pixels, [&](int64_t n) {
    modulus[2 * n] = std::sqrt(x[2 * n] * x[2 * n] + x[2 * n + 1] * x[2 * n + 1]);
  });
  const Fourier<T> fourier(grid);
  Spectrum<T> spectrum = fourier.forward(modulus.data());
  T* s = spectrum.data();
  const auto z = gaussian_transfer<T>(grid.size[0], sigma), y = gaussian_transfer<T>(rows, sigma),
             c = gaussian_transfer<T>(columns, sigma);
  for (int64_t row = 0; row < grid.size[0] * rows; ++row) {
    const T weight = z[row / rows] * y[row % rows];
    for (int64_t n = 0; n < columns; ++n, s += 2) {
      s[0] *= weight * c[n];
      s[1] *= weight * c[n];
    }
  }
  return fourier.inverse(spectrum.data());
}

// The value of the `count`-th brightest pixel. The blur makes one NaN a NaN everywhere, and NaNs
// that are compared with each other alone are in order.
template <typename T>
T brightness_of_rank(const T* blur, int64_t pixels, int64_t count) {
  std::vector<T> values(pixels);
  for (int64_t n = 0; n < pixels; ++n) values[n] = blur[2 * n];
  std::nth_element(values.begin(), values.begin() + (count - 1), values.end(), std::greater<T>());
  return values[count - 1];
}

// The pixels where the blurred |x| is bright.
template <typename T>
void shrinkwrap(const Grid& grid, const T* x, const SupportUpdate& update, uint8_t* support) {
  const int64_t pixels = grid.pixels();
  Spectrum<T> blurred = blurred_modulus(grid, x, update.sigma);
  const T* blur = blurred.data();
  if (update.kept > 0) {
    const T level = brightness_of_rank(blur, pixels, update.kept);
    for_pixels(pixels, [=](int64_t n) { support[n] = blur[2 * n] >= level; });
  } else {
    T peak = 0;
    double power = 0, count = 0;  // of |x| within the support
    for (int64_t n = 0; n < pixels; ++n) peak = std::max(peak, blur[2 * n]);
    for (int64_t n = 0; n < pixels && update.of_rms; ++n) {
      if (!support[n]) continue;
      power += double(x[2 * n]) * double(x[2 * n]) + double(x[2 * n + 1]) * double(x[2 * n + 1]);
      ++count;
    }
    const double reference =
        bright_reference(double(peak), update.of_rms ? root_mean_square(power, count) : INFINITY);
    const T level = static_cast<T>(update.threshold * reference);
    for_pixels(pixels, [=](int64_t n) { support[n] = blur[2 * n] > level; });
  }
}

}  // namespace symbreak
