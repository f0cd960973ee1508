// What the kernels need beyond + - *: 1/sqrt by estimate and Newton steps, choice by the sign.
//
// inverse_sqrt is for arguments between 1e-36 and 1e36, positive; a NaN gives a NaN. The estimates
// are single precision; a division and a square root take the divider for 10-20 clocks a vector
// instead.
#pragma once

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename V, typename T>
SYMBREAK_HD V newton_step(const V& y, const V& x, T) {
  return y * (T(1.5) - (T(0.5) * x * y) * y);
}

struct SimdMath {
#if SYMBREAK_VECTOR_BYTES == 64
  static SYMBREAK_HD Vector<float> inverse_sqrt(const Vector<float>& x) {
    return newton_step(Vector<float>(_mm512_maskz_rsqrt14_ps(-1, __m512(x))), x, 0.0f);
  }
  static SYMBREAK_HD Vector<double> inverse_sqrt(const Vector<double>& x) {
    const Vector<double> y =
        newton_step(Vector<double>(_mm512_maskz_rsqrt14_pd(-1, __m512d(x))), x, 0.0);
    return newton_step(y, x, 0.0);
  }
  template <typename Sign, typename V>
  static SYMBREAK_HD V blend(const Sign& sign, const V& a, const V& b) {
    return sign < 0 ? a : b;
  }
#elif SYMBREAK_VECTOR_BYTES == 32
  static SYMBREAK_HD Vector<float> inverse_sqrt(const Vector<float>& x) {
    return newton_step(Vector<float>(_mm256_rsqrt_ps(__m256(x))), x, 0.0f);
  }
  static SYMBREAK_HD Vector<double> inverse_sqrt(const Vector<double>& x) {
    const __m128 estimate = _mm_rsqrt_ps(_mm256_cvtpd_ps(__m256d(x)));
    Vector<double> y = Vector<double>(_mm256_cvtps_pd(estimate));  // 12 bits, then 23, 45, 53
    y = newton_step(y, x, 0.0);
    y = newton_step(y, x, 0.0);
    return newton_step(y, x, 0.0);
  }
  // One blend by the sign bits, where a comparison would be a second instruction.
  template <typename Sign>
  static SYMBREAK_HD Vector<float> blend(const Sign& sign, const Vector<float>& a,
                                         const Vector<float>& b) {
    return Vector<float>(_mm256_blendv_ps(__m256(b), __m256(a), __m256(sign)));
  }
  template <typename Sign>
  static SYMBREAK_HD Vector<double> blend(const Sign& sign, const Vector<double>& a,
                                          const Vector<double>& b) {
    return Vector<double>(_mm256_blendv_pd(__m256d(b), __m256d(a), __m256d(sign)));
  }
#else
  template <typename Sign, typename V>
  static SYMBREAK_HD V blend(const Sign& sign, const V& a, const V& b) {
    return sign < 0 ? a : b;
  }
  template <typename V>
  static SYMBREAK_HD V inverse_sqrt(const V& x) {
    V y;
    SYMBREAK_UNROLL for (unsigned lane = 0; lane < sizeof(V) / sizeof(x[0]); ++lane) {
      if constexpr (sizeof(x[0]) == 4) {
        y[lane] = 1.0f / __builtin_sqrtf(x[lane]);
      } else {
        y[lane] = 1.0 / __builtin_sqrt(x[lane]);
      }
    }
    return y;
  }
#endif

  template <typename V>
  static SYMBREAK_HD V larger(const V& a, const V& b) {
    return a > b ? a : b;
  }

  // The lanes of a mask are -1 or 0.
  template <typename Mask, typename V>
  static SYMBREAK_HD V where(const Mask& mask, const V& a, const V& b) {
    return blend(mask, a, b);
  }
  template <typename V>
  static SYMBREAK_HD V where_negative(const V& x, const V& a, const V& b) {
    return blend(x, a, b);
  }
};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
