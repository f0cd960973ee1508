// The pointwise passes of an iteration, between two FFTs. Complex arrays are interleaved.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/phasing.h"
#include "common/projections.h"
#include "common/stable.h"

namespace symbreak {

inline constexpr int64_t kPixelsPerTask = 1 << 15;

// For passes made once: threads of torch's pool go on spinning for milliseconds after their work,
// on the cores that the team of the engine needs next.
inline constexpr int64_t kPixelsPerTaskOnce = 1 << 18;

struct PlainMath {
  template <typename T>
  static T where(bool mask, T a, T b) {
    return mask ? a : b;
  }
  template <typename T>
  static T where_negative(T x, T a, T b) {
    return x < 0 ? a : b;
  }
};

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

// X -> X a / |X| where the amplitude was measured, to at least -a / |X| elsewhere; a black X stays
// black.
template <typename T>
void match_amplitude(T* spectrum, const T* amplitude, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    const T re = spectrum[2 * n], im = spectrum[2 * n + 1], a = amplitude[n];
    const T power = re * re + im * im, least = std::numeric_limits<T>::min();
    const T measured = a / std::sqrt(power > least ? power : least);
    const T gain = a < 0 ? (-measured > 1 ? -measured : T(1)) : measured;
    spectrum[2 * n] = re * gain;
    spectrum[2 * n + 1] = im * gain;
  });
}

// ER, HIO, RAAR: x' = p inside the support, keep x + project p outside; p = P_M x.
template <typename T>
void feed_back(T* x, const T* p, const uint8_t* support, const Feedback<T>& outside,
               int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    const T u = support[n] ? T(0) : outside.keep, v = support[n] ? T(1) : outside.project;
    x[2 * n] = u * x[2 * n] + v * p[2 * n];
    x[2 * n + 1] = u * x[2 * n + 1] + v * p[2 * n + 1];
  });
}

// The same where phases are limited.
template <typename T>
void feed_back_limited(T* x, const T* p, const uint8_t* support, const Feedback<T>& rule,
                       const PhaseCone<T>& cone, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    const Complex<T> projected{p[2 * n], p[2 * n + 1]}, old{x[2 * n], x[2 * n + 1]};
    const Complex<T> next =
        feed_back_limited<PlainMath, T>(projected, old, support[n] != 0, rule, cone);
    x[2 * n] = next.re;
    x[2 * n + 1] = next.im;
  });
}

// y = f x + (1 - f) P_C x.
template <typename T>
void towards_object(T* y, const T* x, const uint8_t* support, T f, const PhaseCone<T>& cone,
                    int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    const Complex<T> old{x[2 * n], x[2 * n + 1]};
    const T gain = support[n] ? T(1) : f;
    const Complex<T> next = cone.limits
                                ? towards_object<PlainMath, T>(old, support[n] != 0, f, cone)
                                : Complex<T>{gain * old.re, gain * old.im};
    y[2 * n] = next.re;
    y[2 * n + 1] = next.im;
  });
}

// The difference map (Elser 2003): x' = (1 + beta) p - beta q inside, x - beta q outside;
// p = P_M x, q = P_M f_C(x).
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

// x - beta q, its second step where phases are limited.
template <typename T>
void subtract(T* x, const T* q, T beta, int64_t pixels) {
  for_pixels(pixels, [=](int64_t n) {
    x[2 * n] -= beta * q[2 * n];
    x[2 * n + 1] -= beta * q[2 * n + 1];
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
