// Sweeps along axis 0: transform, modulus (or the error), inverse transform, in place in `state`,
// where a block of columns is contiguous.
#pragma once

#include "common/projections.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/lines.h"
#include "cpu/simd_math.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
SYMBREAK_HD Element<T>* column_block(const Image<T>& image, T* state, int block) {
  return reinterpret_cast<Element<T>*>(state + block * image.state_stride);
}

template <typename T>
SYMBREAK_HD const T* amplitude_block(const Image<T>& image, int block) {
  return image.amplitude + int64_t{block} * image.rows * kLanes<T>;
}

template <typename T>
void project_columns(const Image<T>& image, T* target, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    const T* amplitude = amplitude_block(image, block);
    const T gain = image.gain;
    const T* next = target + (block + 1) * image.state_stride;
    const T* next_amplitude = amplitude + int64_t{image.rows} * kLanes<T>;
    filter_lines<T>(image.along_columns, column_block(image, target, block),
                    [amplitude, gain, next, next_amplitude](int p, Element<T>* a)
                        __attribute__((always_inline)) {
                          prefetch<4 * sizeof(Element<T>)>(next + 2 * p * kLanes<T>);
                          prefetch<4 * sizeof(Vector<T>)>(next_amplitude + p * kLanes<T>);
                          SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) {
                            const Vector<T>& measured = as_vector(amplitude + (p + k) * kLanes<T>);
                            a[k] = project_modulus<SimdMath, T>(a[k], measured, gain);
                          }
                        });
  }
}

template <typename T>
void residual_columns(const Image<T>& image, int begin, int end) {
  using Wide = typename SimdTypes<T>::Wide;
  const AxisPlan<T>& plan = image.along_columns;
  const int length = plan.length, section = section_length(plan);
  for (int block = begin; block < end; ++block) {
    Element<T>* x = column_block(image, image.second, block);
    const T* amplitude = amplitude_block(image, block);
    Wide sum = {};
    forward_pass<T>(plan.radix[0], x, length, length, plan.twiddles[0]);
    for (int start = 0; start < length; start += section) {
      forward_inner_passes(plan, x + start, section);
      for (int p = start; p < start + section; p += 4) {
        Element<T> a[4];
        load_points<4, T>(a, x + p, 1);
        Butterfly<4, Direction::kForward, T>::apply(a);
        SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) {
          const Vector<T>& measured = as_vector(amplitude + (p + k) * kLanes<T>);
          const Vector<T> square = residual<SimdMath, T>(a[k], measured, image.gain);
          sum += __builtin_convertvector(square, Wide);
        }
      }
    }
    double total = 0;
    for (int lane = 0; lane < kLanes<T>; ++lane) total += sum[lane];
    image.partial[block] = total;
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
