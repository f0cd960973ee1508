// Blocks of rows out of the tiles of `state` and back.
//
// A block is gathered by the first pass of the inverse transform and scattered back by the last
// pass of the forward one; between them it lives in `line`.
#pragma once

#include "cpu/engine/kernels.h"
#include "cpu/engine/lines.h"
#include "cpu/engine/tiles.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// The pixels of a block of rows in the block of columns that holds position p of axis 1.
template <typename T>
SYMBREAK_HD T* tiles_at(const Image<T>& image, T* state, int block, int p) {
  constexpr int W = kLanes<T>;
  return state + p / W * image.state_stride + int64_t{block} * (2 * W * W);
}

// Calls body(p, a) for the positions p .. p+3 of [begin, end), multiples of Step = 4 or 16, with
// the elements of `state` there; Step 16 lets the compiler know which tiles they are in.
template <int Step, typename T, typename Body>
SYMBREAK_HD void gather_fours(const Image<T>& image, T* state, int block, int begin, int end,
                              const Body& body) {
  constexpr int W = kLanes<T>;
  for (int p = begin; p < end; p += Step) {
    const int within = Step % W == 0 ? 0 : p % W;
    const T* tiles = tiles_at(image, state, block, p) + within;
    SYMBREAK_UNROLL for (int i = 0; i < Step; i += 4) {
      Vector<T> re[4], im[4];
      SYMBREAK_UNROLL for (int k = 0; k < 4; k += kChunk<T>) {
        const T* tile = tiles + (i + k) / W * image.state_stride + (i + k) % W;
        load_transposed<T>(re + k, tile, 2 * W);
        load_transposed<T>(im + k, tile + W, 2 * W);
      }
      Element<T> a[4] = {{re[0], im[0]}, {re[1], im[1]}, {re[2], im[2]}, {re[3], im[3]}};
      body(p + i, a);
    }
  }
}

// The way back: body(p, a) fills a.
template <int Step, typename T, typename Body>
SYMBREAK_HD void scatter_fours(const Image<T>& image, T* state, int block, int begin, int end,
                               const Body& body) {
  constexpr int W = kLanes<T>;
  for (int p = begin; p < end; p += Step) {
    const int within = Step % W == 0 ? 0 : p % W;
    T* tiles = tiles_at(image, state, block, p) + within;
    SYMBREAK_UNROLL for (int i = 0; i < Step; i += 4) {
      Element<T> a[4];
      body(p + i, a);
      Vector<T> re[4] = {a[0].re, a[1].re, a[2].re, a[3].re};
      Vector<T> im[4] = {a[0].im, a[1].im, a[2].im, a[3].im};
      SYMBREAK_UNROLL for (int k = 0; k < 4; k += kChunk<T>) {
        T* tile = tiles + (i + k) / W * image.state_stride + (i + k) % W;
        store_transposed<T>(tile, 2 * W, re + k);
        store_transposed<T>(tile + W, 2 * W, im + k);
      }
    }
  }
}

// line = F_1^-1 state but for the first radix, which the caller fuses with its update. A tail of
// radix 4 works on what has just been gathered, any other on the line.
template <typename T>
SYMBREAK_HD void gather_rows(const Image<T>& image, T* state, int block, Element<T>* line) {
  const AxisPlan<T>& plan = image.along_rows;
  const int section = section_length(plan);
  const auto store = [line](int p, Element<T>* a)
                         __attribute__((always_inline)) { store_points<4, T>(line + p, 1, a); };
  const auto transform = [store](int p, Element<T>* a) __attribute__((always_inline)) {
    Butterfly<4, Direction::kInverse, T>::apply(a);
    store(p, a);
  };
  if (plan.tail == 4) {
    gather_fours<4>(image, state, block, 0, plan.length, transform);
  } else if (plan.tail != 16) {
    gather_fours<4>(image, state, block, 0, image.padded_columns, store);
    tail_pass<Direction::kInverse, T>(plan.tail, line, plan.length);
  }
  for (int start = 0; start < plan.length; start += section) {
    if (plan.tail == 16) gather_fours<16>(image, state, block, start, start + section, transform);
    inverse_inner_passes(plan, line + start, section);
  }
}

// Zeros for the positions of axis 1 that only fill the last tiles.
template <typename T>
SYMBREAK_HD void clear_rounding(const Image<T>& image, Element<T>* line) {
  for (int p = image.columns; p < image.padded_columns; ++p) line[p] = Element<T>{};
}

// state = F_1 line, after the caller has done the first radix.
template <typename T>
SYMBREAK_HD void scatter_rows(const Image<T>& image, T* state, int block, Element<T>* line) {
  const AxisPlan<T>& plan = image.along_rows;
  const int section = section_length(plan);
  const auto load = [line](int p, Element<T>* a)
                        __attribute__((always_inline)) { load_points<4, T>(a, line + p, 1); };
  const auto transform = [load](int p, Element<T>* a) __attribute__((always_inline)) {
    load(p, a);
    Butterfly<4, Direction::kForward, T>::apply(a);
  };
  for (int start = 0; start < plan.length; start += section) {
    forward_inner_passes(plan, line + start, section);
    if (plan.tail == 16) scatter_fours<16>(image, state, block, start, start + section, transform);
  }
  if (plan.tail == 16) return;
  clear_rounding(image, line);
  if (plan.tail == 4) {
    scatter_fours<4>(image, state, block, 0, image.padded_columns, transform);
  } else {
    tail_pass<Direction::kForward, T>(plan.tail, line, plan.length);
    scatter_fours<4>(image, state, block, 0, image.padded_columns, load);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
