// The rules of the iteration for one element (or one vector of elements), for CPU and CUDA alike.
//
// V is a real scalar or vector, T the type of the constants. Math has what differs between
// machines:
//   inverse_sqrt(x), larger(a, b), where(mask, a, b), and where_negative(x, a, b), which may go by
//   the sign bit.
#pragma once

#include "common/feedback.h"
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

// X a/|X| where measured; elsewhere (amplitude < 0) X itself or, where it may be Bounded, the
// nearest number with |X| at least -amplitude, see kNoBound. All times `gain`, the normalisation of
// the inverse transform, which `amplitude` already holds.
template <typename Math, typename T, bool Bounded = true, typename V>
SYMBREAK_HD Complex<V> project_modulus(const Complex<V>& value, const V& amplitude, T gain) {
  const V measured = amplitude * Math::inverse_sqrt(intensity<T>(value));
  V least = V{} + gain;
  if constexpr (Bounded) least = Math::larger(-measured, least);
  const V factor = Math::where_negative(amplitude, least, measured);
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

// The nearest number whose phase is within the limit: z itself, or on the nearer edge, or 0. A NaN
// stays one.
template <typename Math, typename T, typename V>
SYMBREAK_HD Complex<V> limit_phase(const Complex<V>& z, const PhaseCone<T>& cone) {
  const V height = Math::where_negative(z.im, -z.im, z.im);
  const V along = z.re * cone.cosine + height * cone.sine;  // the nearer edge
  const V length = Math::where(along < V{}, V{}, along);
  const auto within = height * cone.cosine - z.re * cone.sine < V{};
  const V rise = length * cone.sine;
  return {Math::where(within, z.re, length * cone.cosine),
          Math::where(within, z.im, Math::where_negative(z.im, -rise, rise))};
}

// f x + (1 - f) P_C x.
template <typename Math, typename T, typename V, typename Mask>
SYMBREAK_HD Complex<V> towards_object(const Complex<V>& x, const Mask& inside, T f,
                                      const PhaseCone<T>& cone) {
  const Complex<V> allowed = limit_phase<Math>(x, cone);
  const T rest = T(1) - f;
  return {f * x.re + Math::where(inside, rest * allowed.re, V{}),
          f * x.im + Math::where(inside, rest * allowed.im, V{})};
}

// keep x + project p + pull P_C(of_projected p - of_iterate x).
template <typename Math, typename T, typename V, typename Mask>
SYMBREAK_HD Complex<V> feed_back_limited(const Complex<V>& p, const Complex<V>& x,
                                         const Mask& inside, const Feedback<T>& rule,
                                         const PhaseCone<T>& cone) {
  const Complex<V> allowed =
      limit_phase<Math>(Complex<V>{rule.of_projected * p.re - rule.of_iterate * x.re,
                                   rule.of_projected * p.im - rule.of_iterate * x.im},
                        cone);
  const Complex<V> outside = feed_back<true>(p, x, rule.keep, rule.project);
  return {outside.re + Math::where(inside, rule.pull * allowed.re, V{}),
          outside.im + Math::where(inside, rule.pull * allowed.im, V{})};
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
