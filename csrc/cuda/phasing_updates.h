// The real-space half of an iteration, for every algorithm: x' = keep x + project p, with one pair
// of numbers inside the support and another outside.
#pragma once

#include "common/phasing.h"
#include "cuda/device_math.h"

namespace symbreak {

template <typename T>
struct Update {
  T keep_inside, project_inside;
  T keep_outside, project_outside;

  SYMBREAK_DEVICE Complex<T> operator()(const Complex<T>& x, const Complex<T>& p,
                                        bool inside) const {
    return feed_back<true, T>(p, x, inside ? keep_inside : keep_outside,
                              inside ? project_inside : project_outside);
  }
};

// ER, HIO, RAAR with p = P_M x.
template <typename T>
Update<T> feed_back_update(Algorithm algorithm, double beta) {
  const Feedback outside = feedback(algorithm, beta);
  return {T(0), T(1), T(outside.keep), T(outside.project)};
}

// The difference map, x' = (1 + beta) p - beta q inside and x - beta q outside, in two steps: with
// q = P_M f_S(x) first, then with p = P_M x (of the old x).
template <typename T>
Update<T> difference_map_first(double beta) {
  return {T(0), T(-beta), T(1), T(-beta)};
}
template <typename T>
Update<T> difference_map_second(double beta) {
  return {T(1), T(1 + beta), T(1), T(0)};
}

// Without p: f_S(x) of the difference map, and the part inside the support.
template <typename T>
Update<T> relax_support_update(double beta) {
  return {T(1), T(0), T(1 / beta), T(0)};
}
template <typename T>
Update<T> keep_support_update() {
  return {T(1), T(0), T(0), T(0)};
}

}  // namespace symbreak
