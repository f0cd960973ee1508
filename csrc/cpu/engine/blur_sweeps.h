// The support update: |x| blurred by a Gaussian along one axis after the other, then a threshold.
//
// The Gaussian is separable and its transform real, so two real lines go through one complex
// transform, one in the real and one in the imaginary part.
#pragma once

#include "cpu/engine/outer_sweeps.h"
#include "cpu/engine/row_sweeps.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
SYMBREAK_HD void blur_lines(const AxisPlan<T>& plan, const T* transfer, Element<T>* line) {
  filter_lines<T>(plan, line,
                  [transfer]<int R>(int p, Element<T>(&a)[R]) __attribute__((always_inline)) {
                    SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                      a[k] = {a[k].re * transfer[p + k], a[k].im * transfer[p + k]};
                    }
                  });
}

template <typename T>
void blur_rows(const Image<T>& image, const T* transfer, T* scratch, int begin, int end) {
  constexpr int W = kLanes<T>;
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int pair = begin; pair < end; ++pair) {
    const bool both = 2 * pair + 1 < image.row_blocks;
    const Element<T>* first = iterate_rows(image, 2 * pair);
    const Element<T>* other = both ? first + image.padded_columns : first;
    for (int column = 0; column < image.columns; ++column) {
      line[column] = {magnitude<SimdMath, T>(first[column]), magnitude<SimdMath, T>(other[column])};
    }
    blur_lines(image.along_rows, transfer, line);
    clear_rounding(image, line);
    for (int p = 0; p < image.padded_columns; p += kChunk<T>) {
      T* tile = image.second + (p / W) * image.real_stride + int64_t{2} * pair * W * W + p % W;
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

// Blurs the lines of W pixels at `first` and `other`, `stride` from pixel to pixel; returns their
// maximum.
template <typename T>
SYMBREAK_HD double blur_pair(const AxisPlan<T>& plan, const T* transfer, Element<T>* line, T* first,
                             T* other, int64_t stride) {
  for (int i = 0; i < plan.length; ++i) {
    line[i] = {as_vector(first + i * stride), as_vector(other + i * stride)};
  }
  blur_lines(plan, transfer, line);
  Vector<T> largest = line[0].re;
  for (int i = 0; i < plan.length; ++i) {
    const Element<T> value = line[i];
    as_vector(other + i * stride) = value.im;
    as_vector(first + i * stride) = value.re;
    // A NaN anywhere spreads over its whole line, so the first comparison has seen it.
    largest = value.re > largest ? value.re : largest;
    largest = value.im > largest ? value.im : largest;
  }
  double maximum = largest[0];
  for (int lane = 1; lane < kLanes<T>; ++lane) {
    if (!(largest[lane] <= maximum)) maximum = largest[lane];
  }
  return maximum;
}

template <typename T>
void blur_columns(const Image<T>& image, const T* transfer, T* scratch, int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int pair = begin; pair < end; ++pair) {
    T* first = image.second + 2 * pair * image.real_stride;
    T* other = 2 * pair + 1 < image.column_blocks ? first + image.real_stride : first;
    image.partial[pair] =
        blur_pair(image.along_columns, transfer, line, first, other, int64_t{kLanes<T>});
  }
}

template <typename T>
void blur_stack(const Image<T>& image, const T* transfer, T* scratch, int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  const auto pixels = [&image](int block) {
    return image.second + block / image.rows * image.real_stride + block % image.rows * kLanes<T>;
  };
  for (int pair = begin; pair < end; ++pair) {
    T* first = pixels(2 * pair);
    T* other = 2 * pair + 1 < image.outer_blocks() ? pixels(2 * pair + 1) : first;
    image.partial[pair] =
        blur_pair(image.along_stack, transfer, line, first, other, image.plane_stride);
  }
}

template <typename T>
void threshold_rows(const Image<T>& image, T threshold, int begin, int end) {
  constexpr int W = kLanes<T>;
  for (int block = begin; block < end; ++block) {
    int8_t* mask = image.mask + int64_t{block} * image.padded_columns * W;
    for (int p = 0; p < image.padded_columns; p += kChunk<T>) {
      const T* tile = image.second + (p / W) * image.real_stride + int64_t{block} * W * W + p % W;
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
