// Sums in float64 over rectangles of interleaved complex numbers.
#pragma once

#include <cstring>

#include "cpu/symmetries/kernels.h"
#include "cpu/symmetries/pixels.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// A vector of doubles holds so many pixels, real and imaginary parts in turn.
constexpr int kPixels = kLanes<double> / 2;

template <typename T>
struct PackedPixels {
  typedef T Vector __attribute__((vector_size(kLanes<double> * sizeof(T))));
};

// The kPixels pixels from x on, backwards where Backwards.
template <bool Backwards, typename T>
SYMBREAK_HD Vector<double> load_pixels(const T* x) {
  typename PackedPixels<T>::Vector packed;
  std::memcpy(&packed, Backwards ? x - 2 * (kPixels - 1) : x, sizeof(packed));
  const Vector<double> v = __builtin_convertvector(packed, Vector<double>);
  if constexpr (Backwards) return reverse_pixels<double>(v);
  return v;
}

// Only `count` < kPixels of them, black after the last one.
template <bool Backwards, typename T>
SYMBREAK_HD Vector<double> load_last_pixels(const T* x, int64_t count) {
  Vector<double> v = {};
  for (int64_t i = 0; i < count; ++i) {
    const T* pixel = Backwards ? x - 2 * i : x + 2 * i;
    v[2 * i] = pixel[0];
    v[2 * i + 1] = pixel[1];
  }
  return v;
}

SYMBREAK_HD double sum_lanes(const Vector<double>& v) {
  double total = 0;
  for (int lane = 0; lane < kLanes<double>; ++lane) total += v[lane];
  return total;
}

// add(sums, e, r) for all pixels of r and those of e that belong to them. Every sum has two parts
// in turn, since one alone would wait for its own additions.
template <bool Flipped, int Sums, typename T, typename Add>
SYMBREAK_HD void sum_pairs(const Window<T>& e, const Window<T>& r, Vector<double>* sums,
                           const Add& add) {
  constexpr int64_t kStep = Flipped ? -2 : 2;
  Vector<double> even[Sums] = {}, odd[Sums] = {};
  for (int64_t row = 0; row < r.rows; ++row) {
    const T* from = e.x + row * (Flipped ? -e.row_stride : e.row_stride);
    const T* towards = r.x + row * r.row_stride;
    int64_t c = 0;
    for (; c + 2 * kPixels <= r.columns; c += 2 * kPixels) {
      add(even, load_pixels<Flipped>(from + kStep * c), load_pixels<false>(towards + 2 * c));
      add(odd, load_pixels<Flipped>(from + kStep * (c + kPixels)),
          load_pixels<false>(towards + 2 * (c + kPixels)));
    }
    if (c + kPixels <= r.columns) {
      add(even, load_pixels<Flipped>(from + kStep * c), load_pixels<false>(towards + 2 * c));
      c += kPixels;
    }
    if (c < r.columns) {
      add(odd, load_last_pixels<Flipped>(from + kStep * c, r.columns - c),
          load_last_pixels<false>(towards + 2 * c, r.columns - c));
    }
  }
  SYMBREAK_UNROLL for (int i = 0; i < Sums; ++i) sums[i] = even[i] + odd[i];
}

template <typename T>
double power(const Window<T>& window, double scale) {
  Vector<double> sum;
  sum_pairs<false, 1>(window, window, &sum,
                      [scale](Vector<double>* s, const Vector<double>& a, const Vector<double>&)
                          __attribute__((always_inline)) {
                            const Vector<double> v = scale * a;
                            *s += v * v;
                          });
  return sum_lanes(sum);
}

// With e = a + ib and r = c + id the lanes of sums[0] hold ac and bd, those of sums[1] ad and bc;
// conj(e) r = (ac + bd) + i(ad - bc) and e r = (ac - bd) + i(ad + bc).
template <bool Flipped, typename T>
SYMBREAK_HD void add_products(const Window<T>& e, const Window<T>& r, const double* scale,
                              double* sum) {
  Vector<double> sums[2];
  const double s = scale[0], t = scale[1];
  sum_pairs<Flipped, 2>(e, r, sums,
                        [s, t](Vector<double>* to, const Vector<double>& a, const Vector<double>& b)
                            __attribute__((always_inline)) {
                              const Vector<double> from = s * a, towards = t * b;
                              to[0] += from * towards;
                              to[1] += from * swap_parts<double>(towards);
                            });
  double parts[4] = {};
  for (int lane = 0; lane < kLanes<double>; lane += 2) {
    parts[0] += sums[0][lane];
    parts[1] += sums[0][lane + 1];
    parts[2] += sums[1][lane];
    parts[3] += sums[1][lane + 1];
  }
  sum[0] += Flipped ? parts[0] - parts[1] : parts[0] + parts[1];
  sum[1] += Flipped ? parts[2] + parts[3] : parts[2] - parts[3];
}

template <typename T>
void inner_product(const Window<T>& e, const Window<T>& r, bool flipped, const double* scale,
                   double* sum) {
  if (flipped) return add_products<true>(e, r, scale, sum);
  add_products<false>(e, r, scale, sum);
}

template <bool Flipped, typename T>
SYMBREAK_HD double sum_differences(const Window<T>& e, const Window<T>& r, const double* c_s) {
  const Turn<Flipped, double> turn(c_s[0], c_s[1]);
  Vector<double> sum;
  sum_pairs<Flipped, 1>(e, r, &sum,
                        [turn](Vector<double>* s, const Vector<double>& a, const Vector<double>& b)
                            __attribute__((always_inline)) {
                              const Vector<double> difference = turn(a) - b;
                              *s += difference * difference;
                            });
  return sum_lanes(sum);
}

template <typename T>
double squared_difference(const Window<T>& e, const Window<T>& r, bool flipped,
                          const double* turn) {
  if (flipped) return sum_differences<true>(e, r, turn);
  return sum_differences<false>(e, r, turn);
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
