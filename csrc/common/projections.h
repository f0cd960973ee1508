// The rules of the iteration for one element (or one vector of elements), for CPU and CUDA alike.
//
// V is a real scalar or vector, T the type of the constants, Math a class with a static
// inverse_sqrt(V). Conditions are bool for a scalar V and a comparison's result for a vector.
#pragma once

#include "fft.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Below this |X|^2 (amplitudes are scaled to at most 1) a phase means nothing; X = 0 stays 0.
template <typename T>
constexpr T kDarkIntensity = T(1e-36);

// 1/|X|; a NaN stays a NaN, which is why the comparison is written this way round.
template <typename Math, typename T, typename V>
SYMBREAK_HD V inverse_magnitude(const Complex<V>& value) {
  const V intensity = value.re * value.re + value.im * value.im;
  const V dark = V{} + kDarkIntensity<T>;
  return Math::inverse_sqrt(intensity < dark ? dark : intensity);
}

// X a/|X| where measured, X elsewhere (amplitude < 0), times `gain`, the normalisation of the
// inverse transform, which `amplitude` already holds.
template <typename Math, typename T, typename V>
SYMBREAK_HD Complex<V> project_modulus(const Complex<V>& value, const V& amplitude, T gain) {
  const V measured = amplitude * inverse_magnitude<Math, T>(value);
  const V factor = amplitude < T(0) ? V{} + gain : measured;
  return {value.re * factor, value.im * factor};
}

// (|X| gain - a)^2 where measured, 0 elsewhere.
template <typename Math, typename T, typename V>
SYMBREAK_HD V residual(const Complex<V>& value, const V& amplitude, T gain) {
  const V intensity = value.re * value.re + value.im * value.im;
  const V difference = intensity * inverse_magnitude<Math, T>(value) * gain - amplitude;
  return amplitude < T(0) ? V{} : difference * difference;
}

// ER, HIO, RAAR: p inside the support, keep x + project p outside.
template <typename T, typename V, typename Mask>
SYMBREAK_HD Complex<V> feed_back(const Complex<V>& p, const Complex<V>& x, const Mask& inside,
                                 T keep, T project) {
  const Complex<V> outside = {keep * x.re + project * p.re, keep * x.im + project * p.im};
  return {inside ? p.re : outside.re, inside ? p.im : outside.im};
}

// The difference map (Elser 2003) with p = P_M x and q = P_M f_S(x), f_S(x) = x inside the support
// and x/beta outside: (1 + beta) p - beta q inside, x - beta q outside.
template <typename T, typename V, typename Mask>
SYMBREAK_HD Complex<V> difference_map(const Complex<V>& p, const Complex<V>& q, const Complex<V>& x,
                                      const Mask& inside, T beta) {
  const T gain = T(1) + beta;
  const V re = inside ? gain * p.re : x.re, im = inside ? gain * p.im : x.im;
  return {re - beta * q.re, im - beta * q.im};
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
