// The pointwise passes of an iteration, between two FFTs. Complex arrays are interleaved.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/phasing.h"
#include "common/stable.h"

namespace symbreak {

inline constexpr int64_t kPixelsPerTask = 1 << 15;

// For passes made once: threads of torch's pool go on spinning for milliseconds after their work,
// on the cores that the team of the engine needs next.
inline constexpr int64_t kPixelsPerTaskOnce = 1 << 18;

template <typename Body>
void for_pixels(int64_t pixels, const Body& body, int64_t per_task = kPixelsPerTask) {
  torch::stable::parallel_for(0, pixels, per_task, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) body(n);
  });
}

// Sums term(n) in float64 over fixed blocks: the same bits for any number of threads.
template <typename Term>
double sum_pixels(int64_t pixels, const Term& term) {
  constexpr int64_t kBlock = 4096;
  std::vector<double> partial((pixels + kBlock - 1) / kBlock, 0.0);
  const auto blocks = static_cast<int64_t>(partial.size());
  torch::stable::parallel_for(0, blocks, kPixelsPerTask / kBlock, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t last = std::min(pixels, (b + 1) * kBlock);
      for (int64_t n = b * kBlock; n < last; ++n) partial[b] += term(n);
    }
  });
  double sum = 0;
  for (const double part : partial) sum += part;
  return sum;
}

// X -> X a / |X| where the amplitude was measured; a black X stays black.
template <typename T>
void match_amplitude(T* spectrum, const T* amplitude, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    const T re = spectrum[2 * n], im = spectrum[2 * n + 1], a = amplitude[n];
    const T power = re * re + im * im, least = std::numeric_limits<T>::min();
    const T gain = a / std::sqrt(power > least ? power : least);
    spectrum[2 * n] = a < 0 ? re : re * gain;
    spectrum[2 * n + 1] = a < 0 ? im : im * gain;
  });
}

// ER, HIO, RAAR: x' = p inside the support, keep x + project p outside; p = P_M x.
template <typename T>
void feed_back(T* x, const T* p, const uint8_t* support, const Feedback& outside, int64_t pixels) {
  const T keep = static_cast<T>(outside.keep), project = static_cast<T>(outside.project);
  for_pixels(pixels, [=](int64_t n) {
    const T u = support[n] ? T(0) : keep, v = support[n] ? T(1) : project;
    x[2 * n] = u * x[2 * n] + v * p[2 * n];
    x[2 * n + 1] = u * x[2 * n + 1] + v * p[2 * n + 1];
  });
}

// f_S(x) = (1 - 1/beta) P_S x + x/beta, whose modulus projection the difference map needs.
template <typename T>
void relax_support(T* f, const T* x, const uint8_t* support, double beta, int64_t pixels) {
  const T outside = static_cast<T>(1 / beta);
  for_pixels(pixels, [=](int64_t n) {
    const T u = support[n] ? T(1) : outside;
    f[2 * n] = u * x[2 * n];
    f[2 * n + 1] = u * x[2 * n + 1];
  });
}

// The difference map (Elser 2003): x' = (1 + beta) p - beta q inside, x - beta q outside;
// p = P_M x, q = P_M f_S(x).
template <typename T>
void difference_map(T* x, const T* p, const T* q, const uint8_t* support, double beta,
                    int64_t pixels) {
  const T inside = static_cast<T>(1 + beta), b = static_cast<T>(beta);
  for_pixels(pixels, [=](int64_t n) {
    const T u = support[n] ? T(0) : T(1), v = support[n] ? inside : T(0);
    x[2 * n] = u * x[2 * n] + v * p[2 * n] - b * q[2 * n];
    x[2 * n + 1] = u * x[2 * n + 1] + v * p[2 * n + 1] - b * q[2 * n + 1];
  });
}

template <typename T>
void keep_support(T* y, const T* x, const uint8_t* support, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    y[2 * n] = support[n] ? x[2 * n] : T(0);
    y[2 * n + 1] = support[n] ? x[2 * n + 1] : T(0);
  });
}

// sum over the measured pixels of (|X| - a)^2 and of a^2.
template <typename T>
double amplitude_residual(const T* spectrum, const T* amplitude, int64_t pixels) {
  return sum_pixels(pixels, [=](int64_t n) {
    const double re = spectrum[2 * n], im = spectrum[2 * n + 1], a = amplitude[n];
    const double difference = std::sqrt(re * re + im * im) - a;
    return a < 0 ? 0.0 : difference * difference;
  });
}
template <typename T>
double amplitude_power(const T* amplitude, int64_t pixels) {
  return sum_pixels(pixels, [=](int64_t n) {
    const double a = amplitude[n];
    return a < 0 ? 0.0 : a * a;
  });
}

}  // namespace symbreak
