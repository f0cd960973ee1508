// What common/projections.h needs of a machine, on a CUDA thread.
#pragma once

#include "common/projections.h"
#include "cuda/device.h"

namespace symbreak {

struct DeviceMath {
  // Arguments are positive and normal numbers, or NaN.
  static SYMBREAK_DEVICE float inverse_sqrt(float x) { return inverse_sqrt_of_normal(x); }
  static SYMBREAK_DEVICE double inverse_sqrt(double x) { return rsqrt(x); }
  template <typename T>
  static SYMBREAK_DEVICE T where_negative(T x, T a, T b) {
    return x < 0 ? a : b;
  }
  template <typename T>
  static SYMBREAK_DEVICE T larger(T a, T b) {
    return a > b ? a : b;
  }
  template <typename T>
  static SYMBREAK_DEVICE T where(bool mask, T a, T b) {
    return mask ? a : b;
  }
};

template <typename T>
SYMBREAK_DEVICE Complex<T> to_complex(const Pixel<T>& pixel) {
  return {pixel.re, pixel.im};
}
template <typename T>
SYMBREAK_DEVICE Pixel<T> to_pixel(const Complex<T>& value) {
  return {value.re, value.im};
}

}  // namespace symbreak
