// The rules of the iteration for one element (or one vector of elements), for CPU and CUDA alike.
//
// V is a real scalar or vector, T the type of the constants. Math has what differs between
// machines:
//   inverse_sqrt(x), where(mask, a, b), and where_negative(x, a, b), which may go by the sign bit.
#pragma once

#include "common/fft.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Added to |X|^2 (amplitudes are scaled to at most 1), so that X = 0 stays 0. It costs nothing, as
// the addend of a fused multiply-add, and leaves a NaN a NaN.
template <typename T>
constexpr T kDarkIntensity = T(1e-36);

template <typename T, typename V>
SYMBREAK_HD V intensity(const Complex<V>& value) {
  return value.re * value.re + (value.im * value.im + kDarkIntensity<T>);
}

// |X|, 0 at 0.
template <typename Math, typename T, typename V>
SYMBREAK_HD V magnitude(const Complex<V>& value) {
  const V square = value.re * value.re + value.im * value.im;
  return square * Math::inverse_sqrt(square + kDarkIntensity<T>);
}

// X a/|X| where measured, X elsewhere (amplitude < 0), times `gain`, the normalisation of the
// inverse transform, which `amplitude` already holds.
template <typename Math, typename T, typename V>
SYMBREAK_HD Complex<V> project_modulus(const Complex<V>& value, const V& amplitude, T gain) {
  const V measured = amplitude * Math::inverse_sqrt(intensity<T>(value));
  const V factor = Math::where_negative(amplitude, V{} + gain, measured);
  return {value.re * factor, value.im * factor};
}

// (|X| gain - a)^2 where measured, 0 elsewhere.
template <typename Math, typename T, typename V>
SYMBREAK_HD V residual(const Complex<V>& value, const V& amplitude, T gain) {
  const V difference = magnitude<Math, T>(value) * gain - amplitude;
  return Math::where_negative(amplitude, V{}, difference * difference);
}

// keep x + project p, the iterate outside the support; keep is taken as 1 unless Mixed.
template <bool Mixed, typename T, typename V>
SYMBREAK_HD Complex<V> feed_back(const Complex<V>& p, const Complex<V>& x, T keep, T project) {
  if constexpr (Mixed) return {keep * x.re + project * p.re, keep * x.im + project * p.im};
  return {x.re + project * p.re, x.im + project * p.im};
}

// The difference map (Elser 2003) with p = P_M x and q = P_M f_S(x), f_S(x) = x inside the support
// and x/beta outside: (1 + beta) p - beta q inside, x - beta q outside.
template <typename Math, typename T, typename V, typename Mask>
SYMBREAK_HD Complex<V> difference_map(const Complex<V>& p, const Complex<V>& q, const Complex<V>& x,
                                      const Mask& inside, T beta) {
  const T gain = T(1) + beta;
  return {Math::where(inside, gain * p.re, x.re) - beta * q.re,
          Math::where(inside, gain * p.im, x.im) - beta * q.im};
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
