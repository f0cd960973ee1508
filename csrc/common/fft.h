// FFT codelets as templates over the scalar V: a float on a GPU thread, a vector of lines on a CPU.
//
// Forward is decimation in frequency (natural order in, digit-reversed out), inverse is decimation
// in time (digit-reversed in, natural out); neither is normalised and no pass ever reorders. For
// radices R_1 R_2 ... R_L = N the forward transform leaves frequency k_1 + R_1 k_2 + R_1 R_2 k_3
// ... at position k_1 N/R_1 + k_2 N/(R_1 R_2) + ... + k_L.
#pragma once

#include "common/host_device.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename V>
struct Complex {
  V re, im;
};

enum class Direction { kForward, kInverse };  // e^{-2 pi i jk/n} and e^{+2 pi i jk/n}

template <typename V>
SYMBREAK_HD Complex<V> operator+(const Complex<V>& a, const Complex<V>& b) {
  return {a.re + b.re, a.im + b.im};
}

template <typename V>
SYMBREAK_HD Complex<V> operator-(const Complex<V>& a, const Complex<V>& b) {
  return {a.re - b.re, a.im - b.im};
}

// a e^{-i t} (forward) or a e^{+i t} (inverse) with c = cos t, s = sin t.
template <Direction D, typename V, typename T>
SYMBREAK_HD Complex<V> rotate(const Complex<V>& a, T c, T s) {
  if constexpr (D == Direction::kForward) return {a.re * c + a.im * s, a.im * c - a.re * s};
  return {a.re * c - a.im * s, a.im * c + a.re * s};
}

// The same for a quarter turn: a times -i (forward) or +i (inverse).
template <Direction D, typename V>
SYMBREAK_HD Complex<V> quarter(const Complex<V>& a) {
  if constexpr (D == Direction::kForward) return {a.im, -a.re};
  return {-a.im, a.re};
}

// y_k = sum_j x_j e^{-+2 pi i jk/R} in place; T is the type of the constants (float or double).
template <int R, Direction D, typename T>
struct Butterfly;

template <Direction D, typename T>
struct Butterfly<1, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>*) {}
};

template <Direction D, typename T>
struct Butterfly<2, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    const Complex<V> a = x[0];
    x[0] = a + x[1];
    x[1] = a - x[1];
  }
};

template <Direction D, typename T>
struct Butterfly<3, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kHalf = T(0.5), kSin = T(0.86602540378443864676);
    const Complex<V> sum = x[1] + x[2], difference = x[1] - x[2];
    const Complex<V> middle = {x[0].re - kHalf * sum.re, x[0].im - kHalf * sum.im};
    const Complex<V> turned = quarter<D>(Complex<V>{kSin * difference.re, kSin * difference.im});
    x[0] = x[0] + sum;
    x[1] = middle + turned;
    x[2] = middle - turned;
  }
};

template <Direction D, typename T>
struct Butterfly<4, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    const Complex<V> a = x[0] + x[2], b = x[0] - x[2];
    const Complex<V> c = x[1] + x[3], d = quarter<D>(x[1] - x[3]);
    x[0] = a + c;
    x[1] = b + d;
    x[2] = a - c;
    x[3] = b - d;
  }
};

template <Direction D, typename T>
struct Butterfly<5, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kC1 = T(0.30901699437494742410), kC2 = T(-0.80901699437494742410);
    constexpr T kS1 = T(0.95105651629515357212), kS2 = T(0.58778525229247312917);
    const Complex<V> a = x[1] + x[4], b = x[2] + x[3], c = x[1] - x[4], d = x[2] - x[3];
    const Complex<V> m1 = {x[0].re + kC1 * a.re + kC2 * b.re, x[0].im + kC1 * a.im + kC2 * b.im};
    const Complex<V> m2 = {x[0].re + kC2 * a.re + kC1 * b.re, x[0].im + kC2 * a.im + kC1 * b.im};
    const Complex<V> t1 = quarter<D>(Complex<V>{kS1 * c.re + kS2 * d.re, kS1 * c.im + kS2 * d.im});
    const Complex<V> t2 = quarter<D>(Complex<V>{kS2 * c.re - kS1 * d.re, kS2 * c.im - kS1 * d.im});
    x[0] = x[0] + a + b;
    x[1] = m1 + t1;
    x[2] = m2 + t2;
    x[3] = m2 - t2;
    x[4] = m1 - t1;
  }
};

template <Direction D, typename T>
struct Butterfly<8, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kRoot = T(0.70710678118654752440);
    Complex<V> even[4] = {x[0], x[2], x[4], x[6]};
    Complex<V> odd[4] = {x[1], x[3], x[5], x[7]};
    Butterfly<4, D, T>::apply(even);
    Butterfly<4, D, T>::apply(odd);
    // The odd half turns by an eighth: (1 -+ i)/sqrt(2); the product is left for a fused add.
    const Complex<V> q1 = quarter<D>(odd[1]), q3 = quarter<D>(odd[3]);
    const Complex<V> u = odd[1] + q1, v = q3 - odd[3];
    const Complex<V> t1 = {kRoot * u.re, kRoot * u.im}, t3 = {kRoot * v.re, kRoot * v.im};
    const Complex<V> t2 = quarter<D>(odd[2]);
    x[0] = even[0] + odd[0];
    x[1] = even[1] + t1;
    x[2] = even[2] + t2;
    x[3] = even[3] + t3;
    x[4] = even[0] - odd[0];
    x[5] = even[1] - t1;
    x[6] = even[2] - t2;
    x[7] = even[3] - t3;
  }
};

template <Direction D, typename T>
struct Butterfly<16, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kCos1 = T(0.92387953251128675613), kSin1 = T(0.38268343236508977173);
    constexpr T kRoot = T(0.70710678118654752440);
    Complex<V> y[4][4];  // [j mod 4][k mod 4]
    SYMBREAK_UNROLL for (int j = 0; j < 4; ++j) {
      SYMBREAK_UNROLL for (int i = 0; i < 4; ++i) y[j][i] = x[j + 4 * i];
      Butterfly<4, D, T>::apply(y[j]);
    }
    y[1][1] = rotate<D>(y[1][1], kCos1, kSin1);
    y[1][2] = rotate<D>(y[1][2], kRoot, kRoot);
    y[1][3] = rotate<D>(y[1][3], kSin1, kCos1);
    y[2][1] = rotate<D>(y[2][1], kRoot, kRoot);
    y[2][2] = quarter<D>(y[2][2]);
    y[2][3] = rotate<D>(y[2][3], -kRoot, kRoot);
    y[3][1] = rotate<D>(y[3][1], kSin1, kCos1);
    y[3][2] = rotate<D>(y[3][2], -kRoot, kRoot);
    y[3][3] = rotate<D>(y[3][3], -kCos1, -kSin1);
    SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) {
      Complex<V> z[4] = {y[0][k], y[1][k], y[2][k], y[3][k]};
      Butterfly<4, D, T>::apply(z);
      SYMBREAK_UNROLL for (int i = 0; i < 4; ++i) x[k + 4 * i] = z[i];
    }
  }
};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
