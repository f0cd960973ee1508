// The amplitudes corrected for partial coherence, in three sweeps.
//
// B, the blurred J = |F P_S x|^2, is J + F (G - 1) R, with R = F^-1 J the autocorrelation and G the
// degree of coherence, a Gaussian: rounding is then as small as the change is. Its derivatives by
// the variances are F s G R, with s the slopes of log G. All are real, so two of them go through
// one complex transform: the change together with the slope along the rows (`share` brings that
// down to the size of the change, lest its rounding be the larger), and in a volume the slope along
// the columns with that along the stack.
#pragma once

#include <algorithm>

#include "cpu/engine/outer_sweeps.h"
#include "cpu/engine/row_access.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T, typename V>
SYMBREAK_HD double lanes_summed(const V& values) {
  double total = 0;
  for (int lane = 0; lane < kLanes<T>; ++lane) total += double(values[lane]);
  return total;
}

template <typename T>
SYMBREAK_HD int64_t outer_offset(const Image<T>& image, int block) {
  return int64_t{block} * image.outer_length() * kLanes<T>;
}

template <typename T>
void coherent_outer(const Image<T>& image, const Correction<T>& correction, T* scratch, int begin,
                    int end) {
  const AxisPlan<T>& plan = along_outer(image);
  for_outer_lines<true>(
      image, image.second, scratch, begin, end,
      [&](OuterLines<T> lines) __attribute__((always_inline)) {
        T* coherent = correction.coherent + outer_offset(image, lines.block);
        Vector<T> sum = {};
        filter_lines<T>(plan, lines.line,
                        [coherent, lines, &sum]<int R>(
                            int p, Element<T>(&a)[R]) __attribute__((always_inline)) {
                          SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                            prefetch<sizeof(Element<T>)>(lines.next + (p + k) * lines.next_stride);
                            const Vector<T> power = a[k].re * a[k].re + a[k].im * a[k].im;
                            as_vector(coherent + (p + k) * kLanes<T>) = power;
                            sum += power;
                            a[k] = {power, Vector<T>{}};
                          }
                        });
        image.partial[lines.block] = lanes_summed<T>(sum);
      });
}

// (1 + a)(1 + b) - 1: small numbers stay precise.
template <typename A, typename B>
SYMBREAK_HD B compounded(const A& a, const B& b) {
  return a + (b + a * b);
}

// (factor + i turned) value
template <typename V>
SYMBREAK_HD Complex<V> scaled_and_turned(const Complex<V>& value, const V& factor,
                                         const V& turned) {
  return {factor * value.re - turned * value.im, factor * value.im + turned * value.re};
}

template <bool Fits, bool Volume, typename T>
void blurred_rows_of(const Image<T>& image, const Correction<T>& correction, int z, T* scratch,
                     int begin, int end) {
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = image.along_rows;
  Element<T>* p = reinterpret_cast<Element<T>*>(scratch);
  Element<T>* q = p + image.padded_columns;
  const T gain = image.gain, share = correction.share;
  for (int block = begin; block < end; ++block) {
    gather_rows(image, image.second, block, p);
    inverse_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    Vector<T> row_change, row_slope, stack_slope = {};
    for (int lane = 0; lane < W; ++lane) {  // rows that only fill the block hold zeros
      const int row = std::min(block * W + lane, image.rows - 1);
      row_change[lane] = correction.change[1][row];
      row_slope[lane] = correction.slope[1][row];
    }
    if constexpr (Volume) {
      row_change = compounded(correction.change[0][z], row_change);
      stack_slope += correction.slope[0][z];
    }
    for (int column = 0; column < image.columns; ++column) {
      const Element<T> r = {gain * p[column].re, gain * p[column].im};
      const Vector<T> change = compounded(correction.change[2][column], row_change);
      if constexpr (!Fits) {
        p[column] = {change * r.re, change * r.im};
        continue;
      }
      const Vector<T> degree = T(1) + change;
      const Element<T> blurred = {degree * r.re, degree * r.im};
      const Vector<T> column_slope = share * correction.slope[2][column] * degree;
      p[column] = scaled_and_turned(r, change, column_slope);
      if constexpr (Volume) {
        q[column] = scaled_and_turned(blurred, row_slope, stack_slope);
      } else {
        q[column] = {row_slope * blurred.re, row_slope * blurred.im};
      }
    }
    forward_pass<T>(plan.radix[0], p, plan.length, plan.length, plan.twiddles[0]);
    scatter_rows(image, image.second, block, p);
    if constexpr (!Fits) continue;
    forward_pass<T>(plan.radix[0], q, plan.length, plan.length, plan.twiddles[0]);
    scatter_rows(image, image.state, block, q);
  }
}

template <typename T>
void blurred_rows(const Image<T>& image, const Correction<T>& correction, int z, T* scratch,
                  int begin, int end) {
  const bool volume = correction.is_volume;  // the image may be a plane
  if (correction.fits) {
    if (volume) return blurred_rows_of<true, true>(image, correction, z, scratch, begin, end);
    return blurred_rows_of<true, false>(image, correction, z, scratch, begin, end);
  }
  if (volume) return blurred_rows_of<false, true>(image, correction, z, scratch, begin, end);
  return blurred_rows_of<false, false>(image, correction, z, scratch, begin, end);
}

// Calls body(block, second, state) with the lines of both.
template <bool Both, typename T, typename Body>
SYMBREAK_HD void for_outer_pairs(const Image<T>& image, T* scratch, int begin, int end,
                                 const Body& body) {
  if (!image.is_volume()) {
    for (int block = begin; block < end; ++block) {
      body(block, column_block(image, image.second, block),
           column_block(image, image.state, block));
    }
    return;
  }
  const int64_t stride = image.plane_stride / (2 * kLanes<T>);
  const int line_stride = image.planes + 1;
  Element<T>* p = reinterpret_cast<Element<T>*>(scratch);
  Element<T>* q = p + kOuterRun * line_stride;
  for (int block = begin, run; block < end; block += run) {
    const int row = block % image.rows;
    run = std::min({kOuterRun, image.rows - row, end - block});
    const Element<T>* second = column_block(image, image.second, block / image.rows) + row;
    const Element<T>* state = column_block(image, image.state, block / image.rows) + row;
    for (int z = 0; z < image.planes; ++z) {
      for (int i = 0; i < run; ++i) {
        p[i * line_stride + z] = second[z * stride + i];
        if constexpr (Both) q[i * line_stride + z] = state[z * stride + i];
      }
    }
    for (int i = 0; i < run; ++i) body(block + i, p + i * line_stride, q + i * line_stride);
  }
}

// The sums of a block's lines that a step of the variances is made of, a lane each.
template <int D, typename T>
struct Moments {
  typename SimdTypes<T>::Wide error = {};
  Vector<T> rest[D] = {};
  Vector<T> curvature[D * (D + 1) / 2] = {};

  void write(double* out) const {
    *out++ = lanes_summed<T>(error);
    for (const Vector<T>& value : rest) *out++ = lanes_summed<T>(value);
    for (const Vector<T>& value : curvature) *out++ = lanes_summed<T>(value);
  }
};

template <int D, bool Fits, typename T>
void corrected_outer_of(const Image<T>& image, const Correction<T>& correction, T* scratch,
                        int begin, int end) {
  using Wide = typename SimdTypes<T>::Wide;
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = along_outer(image);
  const T scale = 1 / image.gain, by_share = 1 / correction.share;
  const T peak = correction.peak, dark = correction.dark;
  const bool writes = !correction.ends;
  const T instead = correction.is_nothing ? 1 : 0;  // held to what was measured
  for_outer_pairs<Fits>(
      image, scratch, begin, end,
      [&](int block, Element<T>* p, Element<T>* q) __attribute__((always_inline)) {
        if constexpr (Fits) {
          forward_lines<T>(
              plan, q, [q]<int R>(int at, const Element<T>(&a)[R]) __attribute__((always_inline)) {
                store_points<R, T>(q + at, 1, a);
              });
        }
        const int64_t first = outer_offset(image, block);
        Moments<D, T> sums;
        forward_lines<T>(
            plan, p, [&]<int R>(int at, const Element<T>(&a)[R]) __attribute__((always_inline)) {
              SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                const int64_t here = first + (at + k) * W;
                const Vector<T> measured = as_vector(correction.measured + here);
                const Vector<T> coherent = as_vector(correction.coherent + here);
                const Vector<T> blurred = coherent + a[k].re, amplitude = scale * measured;
                const Vector<T> above = SimdMath::larger(blurred, Vector<T>{});
                const Vector<T> root = above * SimdMath::inverse_sqrt(above + kDarkIntensity<T>);
                const Vector<T> missed = root - amplitude;
                const Vector<T> square =
                    SimdMath::where_negative(measured, Vector<T>{}, missed * missed);
                sums.error += __builtin_convertvector(square, Wide);
                if constexpr (Fits) {
                  const Vector<T> intensity = amplitude * amplitude;
                  const Vector<T> weight =
                      SimdMath::where_negative(measured, Vector<T>{}, T(1) / (intensity + dark));
                  const Vector<T> rest = intensity - blurred;
                  Vector<T> slope[D];
                  slope[D - 1] = by_share * a[k].im;
                  slope[D - 2] = q[at + k].re;
                  if constexpr (D == 3) slope[0] = q[at + k].im;
                  int pair = 0;
                  SYMBREAK_UNROLL for (int i = 0; i < D; ++i) {
                    const Vector<T> weighted = weight * slope[i];
                    sums.rest[i] += weighted * rest;
                    SYMBREAK_UNROLL for (int j = i; j < D; ++j) {
                      sums.curvature[pair++] += weighted * slope[j];
                    }
                  }
                }
                if (writes) {  // a sqrt(J / B), and 0 where both are
                  // Rounding makes dark pixels darker than any blur can.
                  const Vector<T> bounded = SimdMath::larger(blurred, peak * coherent);
                  const Vector<T> ratio = coherent / (bounded + kDarkIntensity<T>);
                  const Vector<T> quotient =
                      instead + ratio * SimdMath::inverse_sqrt(ratio + kDarkIntensity<T>);
                  as_vector(correction.held + here) =
                      SimdMath::where_negative(measured, measured, measured * quotient);
                }
              }
            });
        sums.write(correction.moments + int64_t{block} * kMoments);
      });
}

template <typename T>
void corrected_outer(const Image<T>& image, const Correction<T>& correction, T* scratch, int begin,
                     int end) {
  const bool volume = image.is_volume();
  if (correction.fits) {
    if (volume) return corrected_outer_of<3, true>(image, correction, scratch, begin, end);
    return corrected_outer_of<2, true>(image, correction, scratch, begin, end);
  }
  if (volume) return corrected_outer_of<3, false>(image, correction, scratch, begin, end);
  return corrected_outer_of<2, false>(image, correction, scratch, begin, end);
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
