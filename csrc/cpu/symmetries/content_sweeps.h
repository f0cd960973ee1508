// Sweeps along axis 1 from an object's content to the padded state.
#pragma once

#include "cpu/engine/row_access.h"
#include "cpu/symmetries/first_pass.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Rows of the array where it has kLanes of them from `block` on, else copies in `spare`, with black
// rows after the last one.
template <typename T>
SYMBREAK_HD Window<T> whole_block(const ScaledWindow<T>& content, int block, T* spare) {
  constexpr int W = kLanes<T>;
  Window<T> rows = content.window;
  rows.x += int64_t{block} * W * rows.row_stride;
  const int64_t readable = content.readable_rows - int64_t{block} * W;
  if (readable >= W) return rows;
  for (int lane = 0; lane < W; ++lane) {
    T* copy = spare + lane * 2 * rows.columns;
    const size_t bytes = 2 * rows.columns * sizeof(T);
    if (lane < readable) {
      std::memcpy(copy, rows.x + lane * rows.row_stride, bytes);
    } else {
      std::memset(copy, 0, bytes);
    }
  }
  rows.x = spare;
  rows.row_stride = 2 * rows.columns;
  return rows;
}

// line[column] = scaled content, one row a lane: a 16-byte chunk of a row holds kChunk/2 pixels.
template <typename T>
SYMBREAK_HD void load_content(const ScaledWindow<T>& content, int block, Element<T>* line,
                              T* spare) {
  constexpr int kPixels = kChunk<T> / 2;
  const Window<T> rows = whole_block(content, block, spare);
  const T s = content.scale[0], t = content.scale[1];
  int64_t column = 0;
  for (; column + kPixels <= rows.columns; column += kPixels) {
    Vector<T> v[kChunk<T>];
    load_transposed<T>(v, rows.x + 2 * column, rows.row_stride);
    SYMBREAK_UNROLL for (int i = 0; i < kPixels; ++i) {
      line[column + i] = {v[2 * i] * s * t, v[2 * i + 1] * s * t};
    }
  }
  for (; column < rows.columns; ++column) {
    for (int lane = 0; lane < kLanes<T>; ++lane) {
      const T* pixel = rows.x + lane * rows.row_stride + 2 * column;
      line[column].re[lane] = pixel[0] * s * t;
      line[column].im[lane] = pixel[1] * s * t;
    }
  }
}

template <typename T>
void transform_rows(const Image<T>& image, const ScaledWindow<T>& content, T* target, T* scratch,
                    int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int block = begin; block < end; ++block) {
    load_content(content, block, line, scratch + 2 * kLanes<T> * image.columns);
    first_pass(image.along_rows, line, static_cast<int>(content.window.columns));
    scatter_rows(image, target, block, line);
  }
}

// scatter_rows with one more pass over the line, which reads it in the order of frequencies.
template <typename T>
SYMBREAK_HD void scatter_rows_in_order(const Image<T>& image, const int* positions, T* state,
                                       int block, Element<T>* line) {
  constexpr int W = kLanes<T>;
  const AxisPlan<T>& plan = image.along_rows;
  const int section = section_length(plan);
  for (int start = 0; start < plan.length; start += section) {
    forward_inner_passes(plan, line + start, section);
    for (int p = start; p < start + section; p += 4) {
      Element<T> a[4];
      load_points<4, T>(a, line + p, 1);
      Butterfly<4, Direction::kForward, T>::apply(a);
      store_points<4, T>(line + p, 1, a);
    }
  }
  for (int f = 0; f < plan.length; f += kChunk<T>) {
    Vector<T> re[kChunk<T>], im[kChunk<T>];
    SYMBREAK_UNROLL for (int i = 0; i < kChunk<T>; ++i) {
      re[i] = line[positions[f + i]].re;
      im[i] = line[positions[f + i]].im;
    }
    T* tile = state + f / W * image.state_stride + int64_t{block} * (2 * W * W) + f % W;
    store_transposed<T>(tile, 2 * W, re);
    store_transposed<T>(tile + W, 2 * W, im);
  }
}

template <typename T>
void transform_rows_in_order(const Image<T>& image, const ScaledWindow<T>& content,
                             const int* positions, T* target, T* scratch, int begin, int end) {
  Element<T>* line = reinterpret_cast<Element<T>*>(scratch);
  for (int block = begin; block < end; ++block) {
    load_content(content, block, line, scratch + 2 * kLanes<T> * image.columns);
    first_pass(image.along_rows, line, static_cast<int>(content.window.columns));
    scatter_rows_in_order(image, positions, target, block, line);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
