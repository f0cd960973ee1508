// The real-space half of an iteration, for every algorithm: x' = keep x + project p, with one pair
// of numbers inside the support and another outside; where phases are limited, as common/feedback.h
// has it.
#pragma once

#include "common/phasing.h"
#include "cuda/device_math.h"

namespace symbreak {

template <typename T>
struct Update {
  T keep_inside, project_inside;
  Feedback<T> rule;  // outside, and everywhere where the cone limits
  PhaseCone<T> cone;

  SYMBREAK_DEVICE Complex<T> operator()(const Complex<T>& x, const Complex<T>& p,
                                        bool inside) const {
    if (cone.limits) return feed_back_limited<DeviceMath, T>(p, x, inside, rule, cone);
    return feed_back<true, T>(p, x, inside ? keep_inside : rule.keep,
                              inside ? project_inside : rule.project);
  }
};

// x' = x, whatever the support.
template <typename T>
Update<T> keep_update() {
  return {T(1), T(0), {T(1), T(0), T(0), T(0), T(0)}, {}};
}

// ER, HIO, RAAR with p = P_M x.
template <typename T>
Update<T> feed_back_update(Algorithm algorithm, double beta, const PhaseCone<T>& cone) {
  return {T(0), T(1), feedback<T>(algorithm, beta), cone};
}

// The two steps of difference_map_pull(): with p = P_M x, and with q = P_M f_C(x).
template <typename T>
Update<T> difference_map_first(double beta, const PhaseCone<T>& cone) {
  return {T(0), T(1 + beta), difference_map_pull<T>(beta), cone};
}
template <typename T>
Update<T> difference_map_second(double beta) {
  return {T(1), T(-beta), {T(1), T(-beta), T(0), T(0), T(0)}, {}};
}

// f x + (1 - f) P_C x, without p.
template <typename T>
Update<T> towards_object_update(double f, const PhaseCone<T>& cone) {
  return {T(1), T(0), {T(f), T(0), T(1 - f), T(0), T(-1)}, cone};
}

}  // namespace symbreak
