// Which candidate brings an estimate closest to its reference, and what differs then: sums in
// float64 over the pixels, in an order that depends on the grid alone.
#pragma once

#include <limits>

#include "cuda/align_pairs.h"
#include "cuda/element.h"

namespace symbreak {

// What align (object) and best_element (offset) return; the other one is null.
template <typename T>
struct AlignResults {
  Pixel<T>* object;  // [items, depth, rows, columns]
  int64_t* offset;   // [items, rank]
  int64_t* shift;    // [items, rank]
  bool* flipped;     // [items]
  T* phase;          // [items]
  T* sa_mse;         // [items]
};

// How an item's rows are shared out to blocks, see csrc/cuda/walk.h.
struct RowParts {
  int64_t rows, count;

  explicit RowParts(const Grid& grid)
      : rows(rows_per_block(grid)), count(pieces(grid.size[0] * grid.size[1], rows)) {}
};

struct ComplexSum {
  double re = 0, im = 0;
  static SYMBREAK_DEVICE ComplexSum of(const ComplexSum& a, const ComplexSum& b) {
    return {a.re + b.re, a.im + b.im};
  }
};

// visit(e, r) for this thread's pixels n of rows [begin, end): e is C^f e(map(n)), black where
// nothing comes to n, and r the reference's pixel n.
template <typename T, typename Visit>
SYMBREAK_DEVICE void visit_pairs(const Pairs<T>& pairs, int64_t item, const IndexMap& map,
                                 int64_t begin, int64_t end, const Visit& visit) {
  const Grid& grid = pairs.grid;
  const int depth = static_cast<int>(grid.size[0]), height = static_cast<int>(grid.size[1]);
  const int width = static_cast<int>(grid.size[2]);
  const Pixel<T>* e = pairs.x[0] + item * grid.pixels();
  const Pixel<T>* r = pairs.x[1] + item * grid.pixels();
  Element<T> element;
  element.set(map, grid, pairs.wrap);
  visit_columns(grid, [&](int column, int first, int step) {
    const int from = element.source(2, column, width, pairs.wrap);
    RowPosition at(grid, begin + first);
    for (int64_t row = begin + first; row < end; row += step, at.advance(step)) {
      const int z = element.source(0, at.plane, depth, pairs.wrap);
      const int y = element.source(1, at.row, height, pairs.wrap);
      Pixel<T> value{0, 0};
      if (from >= 0 && z >= 0 && y >= 0) value = e[(int64_t{z} * height + y) * width + from];
      if (map.flipped) value.im = -value.im;
      visit(value, r[row * width + column]);
    }
  });
}

// sum_n conj(C^f e(map(n))) r(n) of each candidate, both factors scaled; a block per part of an
// item. partial: [items, parts, kMaxCandidates + 1].
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads)
    inner_products_kernel(Pairs<T> pairs, ComplexSum* partial, RowParts parts) {
  SYMBREAK_SHARED(memory);
  const int64_t item = blockIdx.x / parts.count, part = blockIdx.x % parts.count;
  const PairState<T>& state = pairs.states[item];
  const int64_t begin = part * parts.rows, all = pairs.grid.size[0] * pairs.grid.size[1];
  const int64_t end = std::min(begin + parts.rows, all);
  const unsigned count = state.found;
  const double scale = count > 0 ? state.scale(0) : 1, towards = count > 0 ? state.scale(1) : 1;
  for (unsigned i = 0; i < count; ++i) {
    ComplexSum sum;
    visit_pairs(pairs, item, pairs.lags.map(state.ranks[i]), begin, end,
                [&](const Pixel<T>& e, const Pixel<T>& r) {
                  const double a = e.re * scale, b = e.im * scale;
                  const double c = r.re * towards, d = r.im * towards;
                  sum.re += rounded_product(a, c) + rounded_product(b, d);
                  sum.im += rounded_product(a, d) - rounded_product(b, c);
                });
    sum = reduce_block<ComplexSum>(sum, reinterpret_cast<ComplexSum*>(memory));
    if (threadIdx.x == 0) partial[blockIdx.x * int64_t{kMaxCandidates + 1} + i] = sum;
  }
}

template <typename T>
SYMBREAK_DEVICE void write_element(const Pairs<T>& pairs, int64_t item,
                                   const AlignResults<T>& results) {
  const PairState<T>& state = pairs.states[item];
  const IndexMap& map = state.map;
  for (int64_t i = 0; i < pairs.grid.rank; ++i) {
    const int64_t axis = pairs.grid.axis(i), size = pairs.grid.size[axis];
    const int64_t lo = size - state.reach[axis][0], hi = state.reach[axis][1];
    const int64_t pivot = pairs.wrap ? size - 1 : lo + hi - 1, at = item * pairs.grid.rank + i;
    results.shift[at] = map.flipped ? map.offset[axis] - pivot : -map.offset[axis];
    if (results.offset != nullptr) results.offset[at] = map.offset[axis];
  }
  results.flipped[item] = map.flipped;
  results.phase[item] = state.phase;
}

// The candidate of the largest |inner product|, of equals the first in the order of shifts; a block
// of one warp per item.
template <typename T>
SYMBREAK_KERNEL void choose_kernel(Pairs<T> pairs, const ComplexSum* partial, int64_t parts,
                                   AlignResults<T> results) {
  SYMBREAK_SHARED(memory);
  ComplexSum* products = reinterpret_cast<ComplexSum*>(memory);  // [kMaxCandidates + 1]
  const int64_t item = blockIdx.x;
  PairState<T>& state = pairs.states[item];
  if (threadIdx.x < state.found) {
    ComplexSum sum;
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t at = (item * parts + part) * (kMaxCandidates + 1) + threadIdx.x;
      sum = ComplexSum::of(sum, partial[at]);
    }
    products[threadIdx.x] = sum;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  state.map = {{0, 0, 0}, false};
  state.phase = 0;
  state.turn = {1, 0};
  // Below rounding the correlation says nothing, and the identity is as good as any.
  const double noise = std::numeric_limits<T>::epsilon() * state.norms();
  double largest = noise * noise;
  int best = -1;
  for (int i = 0; i < int(state.found); ++i) {
    const double power = products[i].re * products[i].re + products[i].im * products[i].im;
    const bool earlier = best >= 0 && power == largest && state.ranks[i] < state.ranks[best];
    if (!(power > largest) && !earlier) continue;
    largest = power;
    best = i;
  }
  if (best >= 0) {
    state.phase = principal_phase<T>(products[best].im, products[best].re);
    state.map = pairs.lags.map(state.ranks[best]);
    if (state.phase != 0) sincos(double(state.phase), &state.turn.im, &state.turn.re);
  }
  write_element(pairs, item, results);
}

// Whether source pixel m of an axis is read by a pixel n of the window.
SYMBREAK_DEVICE bool stays(const IndexMap& map, int axis, int64_t m, int64_t size) {
  const int64_t n = map.flipped ? map.offset[axis] - m : m - map.offset[axis];
  return n >= 0 && n < size;
}

// The sum of |e|^2 over this thread's pixels of rows [begin, end) that the map pushes out.
template <typename T>
SYMBREAK_DEVICE double power_pushed_out(const Pixel<T>* e, const Grid& grid, const IndexMap& map,
                                        int64_t begin, int64_t end) {
  double sum = 0;
  visit_columns(grid, [&](int column, int first, int step) {
    const bool column_stays = stays(map, 2, column, grid.size[2]);
    RowPosition at(grid, begin + first);
    for (int64_t row = begin + first; row < end; row += step, at.advance(step)) {
      if (column_stays && stays(map, 0, at.plane, grid.size[0]) &&
          stays(map, 1, at.row, grid.size[1])) {
        continue;
      }
      const Pixel<T> value = e[row * grid.size[2] + column];
      sum += double(value.re) * double(value.re) + double(value.im) * double(value.im);
    }
  });
  return sum;
}

// Writes the aligned object, and to partial [items, parts] the parts of |T e - r|^2 over the window
// plus |e|^2 of what T pushes out of it; norms are never subtracted.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads, 2)
    compare_kernel(Pairs<T> pairs, Pixel<T>* object, double* partial, RowParts parts) {
  SYMBREAK_SHARED(memory);
  const int64_t item = blockIdx.x / parts.count, pixels = pairs.grid.pixels();
  const int64_t begin = blockIdx.x % parts.count * parts.rows;
  const int64_t end = std::min(begin + parts.rows, pairs.grid.size[0] * pairs.grid.size[1]);
  const PairState<T>& state = pairs.states[item];
  const IndexMap map = state.map;
  const Pixel<double> turn = state.turn;
  const Pixel<T>* e = pairs.x[0] + item * pixels;
  if (object != nullptr) {
    Element<T> element;
    element.set(map, pairs.grid, pairs.wrap);
    element.turn = {static_cast<T>(turn.re), static_cast<T>(turn.im)};
    write_rows(e, object + item * pixels, pairs.grid, element, pairs.wrap, begin, end);
  }
  double sum = pairs.wrap ? 0 : power_pushed_out(e, pairs.grid, map, begin, end);
  visit_pairs(pairs, item, map, begin, end, [&](const Pixel<T>& from, const Pixel<T>& r) {
    const double re = turn.re * from.re - turn.im * from.im - r.re;
    const double im = turn.re * from.im + turn.im * from.re - r.im;
    sum += re * re + im * im;
  });
  sum = reduce_block<Sum>(sum, reinterpret_cast<double*>(memory));
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

template <typename T>
struct StoreError {
  Pairs<T> pairs;
  T* sa_mse;
  SYMBREAK_DEVICE void operator()(unsigned item, unsigned, double sum) const {
    const double mean = sum / static_cast<double>(pairs.grid.pixels());
    sa_mse[item] = pairs.states[item].finite() ? T(mean) : std::numeric_limits<T>::quiet_NaN();
  }
};

}  // namespace symbreak
