// FFT codelets of the odd prime radices 7, 11 and 13, by the definition with both halves folded.
//
// With a_j = x_j + x_{R-j} and b_j = x_j - x_{R-j}, j = 1 .. (R-1)/2:
//   y_{k, R-k} = x_0 + sum_j cos(2 pi jk/R) a_j -+ i sum_j sin(2 pi jk/R) b_j,
// (R-1)^2 fused multiply-adds. Rader's convolutions need fewer operations, but fuse fewer of them.
#pragma once

#include "common/fft.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// cosines[j-1], sines[j-1]: of 2 pi j/R.
template <int R, Direction D, typename T, typename V>
SYMBREAK_HD void odd_butterfly(Complex<V>* x, const T* cosines, const T* sines) {
  constexpr int kHalf = (R - 1) / 2;
  Complex<V> a[kHalf], b[kHalf];
  const Complex<V> first = x[0];
  SYMBREAK_UNROLL for (int j = 1; j <= kHalf; ++j) {
    a[j - 1] = x[j] + x[R - j];
    b[j - 1] = x[j] - x[R - j];
    x[0] = x[0] + a[j - 1];
  }
  SYMBREAK_UNROLL for (int k = 1; k <= kHalf; ++k) {
    Complex<V> even = first, odd = {};
    SYMBREAK_UNROLL for (int j = 1; j <= kHalf; ++j) {
      const int turn = j * k % R, folded = turn <= kHalf ? turn : R - turn;
      const T c = cosines[folded - 1], s = turn <= kHalf ? sines[folded - 1] : -sines[folded - 1];
      even = {even.re + c * a[j - 1].re, even.im + c * a[j - 1].im};
      odd = {odd.re + s * b[j - 1].re, odd.im + s * b[j - 1].im};
    }
    const Complex<V> turned = quarter<D>(odd);
    x[k] = even + turned;
    x[R - k] = even - turned;
  }
}

template <Direction D, typename T>
struct Butterfly<7, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kCos[] = {T(0.62348980185873353053), T(-0.22252093395631440429),
                          T(-0.90096886790241912624)};
    constexpr T kSin[] = {T(0.78183148246802980871), T(0.97492791218182360702),
                          T(0.43388373911755812048)};
    odd_butterfly<7, D, T>(x, kCos, kSin);
  }
};

template <Direction D, typename T>
struct Butterfly<11, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kCos[] = {T(0.84125353283118116886), T(0.41541501300188642553),
                          T(-0.14231483827328514044), T(-0.65486073394528506406),
                          T(-0.95949297361449738989)};
    constexpr T kSin[] = {T(0.54064081745559758211), T(0.90963199535451837141),
                          T(0.98982144188093273238), T(0.75574957435425828377),
                          T(0.28173255684142969771)};
    odd_butterfly<11, D, T>(x, kCos, kSin);
  }
};

template <Direction D, typename T>
struct Butterfly<13, D, T> {
  template <typename V>
  static SYMBREAK_HD void apply(Complex<V>* x) {
    constexpr T kCos[] = {T(0.8854560256532098959),   T(0.56806474673115580251),
                          T(0.12053668025532305335),  T(-0.35460488704253562597),
                          T(-0.74851074817110109863), T(-0.97094181742605202716)};
    constexpr T kSin[] = {T(0.46472317204376854566), T(0.82298386589365639458),
                          T(0.9927088740980539928),  T(0.93501624268541482344),
                          T(0.66312265824079520238), T(0.23931566428755776715)};
    odd_butterfly<13, D, T>(x, kCos, kSin);
  }
};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
