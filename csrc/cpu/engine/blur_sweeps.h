// The support update: |x| blurred by a Gaussian along one axis after the other, then a threshold.
//
// The Gaussian is separable and its transform real, so two real lines go through one complex
// transform, one in the real and one in the imaginary part.
#pragma once

#include "cpu/engine/column_sweeps.h"
#include "cpu/engine/row_sweeps.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
SYMBREAK_HD void blur_lines(const AxisPlan<T>& plan, const T* transfer, Element<T>* line) {
  filter_lines<T>(plan, line, [transfer](int p, Element<T>* a) __attribute__((always_inline)) {
    SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) {
      a[k] = {a[k].re * transfer[p + k], a[k].im * transfer[p + k]};
    }
  });
}

template <typename T>
void blur_rows(const Image<T>& image, const T* transfer, T* scratch, int begin, int end) {
  constexpr int W = kLanes<T>;
  const int blocks = image.rows / W;
  const int64_t column_stride = int64_t{image.rows} * W;
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int pair = begin; pair < end; ++pair) {
    const bool both = 2 * pair + 1 < blocks;
    const Element<T>* first = iterate_rows(image, 2 * pair);
    const Element<T>* other = both ? first + image.columns : first;
    for (int column = 0; column < image.columns; ++column) {
      line[column] = {magnitude<SimdMath, T>(first[column]), magnitude<SimdMath, T>(other[column])};
    }
    blur_lines(image.along_rows, transfer, line);
    for (int p = 0; p < image.columns; p += kChunk<T>) {
      T* tile = image.second + (p / W) * column_stride + int64_t{2} * pair * W * W + p % W;
      Vector<T> re[kChunk<T>], im[kChunk<T>];
      SYMBREAK_UNROLL for (int k = 0; k < kChunk<T>; ++k) {
        re[k] = line[p + k].re;
        im[k] = line[p + k].im;
      }
      store_transposed<T>(tile, W, re);
      if (both) store_transposed<T>(tile + W * W, W, im);
    }
  }
}

template <typename T>
void blur_columns(const Image<T>& image, const T* transfer, T* scratch, int begin, int end) {
  constexpr int W = kLanes<T>;
  const int blocks = image.columns / W;
  const int64_t column_stride = int64_t{image.rows} * W;
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int pair = begin; pair < end; ++pair) {
    T* first = image.second + 2 * pair * column_stride;
    T* other = 2 * pair + 1 < blocks ? first + column_stride : first;
    for (int row = 0; row < image.rows; ++row) {
      line[row] = {as_vector(first + row * W), as_vector(other + row * W)};
    }
    blur_lines(image.along_columns, transfer, line);
    Vector<T> largest = line[0].re;
    for (int row = 0; row < image.rows; ++row) {
      const Element<T> value = line[row];
      as_vector(other + row * W) = value.im;
      as_vector(first + row * W) = value.re;
      // A NaN anywhere spreads over its whole line, so the first comparison has seen it.
      largest = value.re > largest ? value.re : largest;
      largest = value.im > largest ? value.im : largest;
    }
    double maximum = largest[0];
    for (int lane = 1; lane < W; ++lane) {
      if (!(largest[lane] <= maximum)) maximum = largest[lane];
    }
    image.partial[pair] = maximum;
  }
}

template <typename T>
void threshold_rows(const Image<T>& image, T threshold, int begin, int end) {
  constexpr int W = kLanes<T>;
  const int64_t column_stride = int64_t{image.rows} * W;
  for (int block = begin; block < end; ++block) {
    int8_t* mask = image.mask + int64_t{block} * image.columns * W;
    for (int p = 0; p < image.columns; p += kChunk<T>) {
      const T* tile = image.second + (p / W) * column_stride + int64_t{block} * W * W + p % W;
      Vector<T> value[kChunk<T>];
      load_transposed<T>(value, tile, W);
      SYMBREAK_UNROLL for (int k = 0; k < kChunk<T>; ++k) {
        store_mask<T>(mask + (p + k) * W, value[k] >= threshold);
      }
    }
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
