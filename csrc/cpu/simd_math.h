// The one function beyond + - * that the kernels need: 1/sqrt, by estimate and Newton steps.
//
// For arguments between 1e-36 and 1e36, positive; a NaN gives a NaN. The estimates are single
// precision; a division and a square root take the divider for 10-20 clocks a vector instead.
#pragma once

#include "simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename V, typename T>
SYMBREAK_HD V newton_step(const V& y, const V& x, T) {
  return y * (T(1.5) - (T(0.5) * x * y) * y);
}

struct SimdMath {
#if defined(__AVX512F__)
  static SYMBREAK_HD Vector<float> inverse_sqrt(const Vector<float>& x) {
    return newton_step(Vector<float>(_mm512_maskz_rsqrt14_ps(-1, __m512(x))), x, 0.0f);
  }
  static SYMBREAK_HD Vector<double> inverse_sqrt(const Vector<double>& x) {
    const Vector<double> y =
        newton_step(Vector<double>(_mm512_maskz_rsqrt14_pd(-1, __m512d(x))), x, 0.0);
    return newton_step(y, x, 0.0);
  }
#elif defined(__AVX2__)
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
#else
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
};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
