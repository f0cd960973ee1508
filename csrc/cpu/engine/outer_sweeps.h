// The outer sweep: transform along axis 0, modulus (or the error), inverse transform.
//
// Lines of an image are contiguous in `state` and transformed in place. Those of a volume go from
// plane to plane: runs of neighbouring lines are copied to scratch and back, so that each plane is
// touched in some hundred bytes at a time.
#pragma once

#include <algorithm>

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

// A block of lines to work on, and where the lines come from that will be worked on after them.
template <typename T>
struct OuterLines {
  int block;
  Element<T>* line;
  const Element<T>* next;
  int64_t next_stride;
};

// Calls body(OuterLines) for the blocks [begin, end); what it leaves there is stored if Stores.
template <bool Stores, typename T, typename Body>
SYMBREAK_HD void for_outer_lines(const Image<T>& image, T* target, T* scratch, int begin, int end,
                                 const Body& body) {
  if (!image.is_volume()) {
    for (int block = begin; block < end; ++block) {
      body(OuterLines<T>{block, column_block(image, target, block),
                         column_block(image, target, block + 1), 1});
    }
    return;
  }
  Element<T>* lines = reinterpret_cast<Element<T>*>(scratch);
  const int64_t stride = image.plane_stride / (2 * kLanes<T>);
  const int line_stride = image.planes + 1;  // lines of a power of two would share cache sets
  for (int block = begin, run; block < end; block += run) {
    const int row = block % image.rows;
    run = std::min({kOuterRun, image.rows - row, end - block});
    Element<T>* from = column_block(image, target, block / image.rows) + row;
    for (int z = 0; z < image.planes; ++z) {
      for (int i = 0; i < run; ++i) lines[i * line_stride + z] = from[z * stride + i];
    }
    for (int i = 0; i < run; ++i) {
      body(OuterLines<T>{block + i, lines + i * line_stride, from + run + i, stride});
    }
    if constexpr (Stores) {
      for (int z = 0; z < image.planes; ++z) {
        for (int i = 0; i < run; ++i) from[z * stride + i] = lines[i * line_stride + z];
      }
    }
  }
}

template <typename T>
SYMBREAK_HD const T* amplitude_block(const Image<T>& image, int block) {
  return image.amplitude + int64_t{block} * image.outer_length() * kLanes<T>;
}

template <typename T>
SYMBREAK_HD const AxisPlan<T>& along_outer(const Image<T>& image) {
  return image.is_volume() ? image.along_stack : image.along_columns;
}

template <bool Bounded, typename T>
void project_outer_of(const Image<T>& image, T* target, T* scratch, int begin, int end) {
  const AxisPlan<T>& plan = along_outer(image);
  const T gain = image.gain;
  for_outer_lines<true>(
      image, target, scratch, begin, end, [&](OuterLines<T> lines) __attribute__((always_inline)) {
        const T* amplitude = amplitude_block(image, lines.block);
        const T* next_amplitude = amplitude_block(image, lines.block + 1);
        filter_lines<T>(plan, lines.line,
                        [amplitude, gain, lines, next_amplitude]<int R>(
                            int p, Element<T>(&a)[R]) __attribute__((always_inline)) {
                          SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                            prefetch<sizeof(Element<T>)>(lines.next + (p + k) * lines.next_stride);
                          }
                          prefetch<R * sizeof(Vector<T>)>(next_amplitude + p * kLanes<T>);
                          SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                            const Vector<T>& measured = as_vector(amplitude + (p + k) * kLanes<T>);
                            a[k] = project_modulus<SimdMath, T, Bounded>(a[k], measured, gain);
                          }
                        });
      });
}

template <typename T>
void project_outer(const Image<T>& image, T* target, T* scratch, int begin, int end) {
  if (image.bounded) return project_outer_of<true>(image, target, scratch, begin, end);
  project_outer_of<false>(image, target, scratch, begin, end);
}

template <typename T>
void inverse_outer(const Image<T>& image, T* target, T* scratch, int begin, int end) {
  const AxisPlan<T>& plan = along_outer(image);
  for_outer_lines<true>(
      image, target, scratch, begin, end, [&](OuterLines<T> lines) __attribute__((always_inline)) {
        inverse_lines<T>(plan, lines.line,
                         []<int R>(int, Element<T>(&)[R]) __attribute__((always_inline)) {});
      });
}

template <typename T>
void residual_outer(const Image<T>& image, T* scratch, int begin, int end) {
  using Wide = typename SimdTypes<T>::Wide;
  const AxisPlan<T>& plan = along_outer(image);
  const T gain = image.gain;
  for_outer_lines<false>(image, image.second, scratch, begin, end,
                         [&](OuterLines<T> lines) __attribute__((always_inline)) {
                           const T* amplitude = amplitude_block(image, lines.block);
                           Wide sum = {};
                           forward_lines<T>(plan, lines.line,
                                            [amplitude, gain, &sum]<int R>(int p, Element<T>(&a)[R])
                                                __attribute__((always_inline)) {
                                                  SYMBREAK_UNROLL for (int k = 0; k < R; ++k) {
                                                    const auto& measured =
                                                        as_vector(amplitude + (p + k) * kLanes<T>);
                                                    const Vector<T> square =
                                                        residual<SimdMath, T>(a[k], measured, gain);
                                                    sum += __builtin_convertvector(square, Wide);
                                                  }
                                                });
                           double total = 0;
                           for (int lane = 0; lane < kLanes<T>; ++lane) total += sum[lane];
                           image.partial[lines.block] = total;
                         });
}

template <typename T>
void forward_columns(const Image<T>& image, T* target, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    Element<T>* x = column_block(image, target, block);
    forward_lines<T>(image.along_columns, x,
                     [x]<int R>(int p, const Element<T>(&a)[R])
                         __attribute__((always_inline)) { store_points<R, T>(x + p, 1, a); });
  }
}

template <typename T>
void inverse_columns(const Image<T>& image, T* target, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    const Element<T>* next = column_block(image, target, block + 1);
    inverse_lines<T>(image.along_columns, column_block(image, target, block),
                     [next]<int R>(int p, Element<T>(&)[R]) __attribute__((always_inline)) {
                       prefetch<R * sizeof(Element<T>)>(reinterpret_cast<const T*>(next + p));
                     });
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
