// Writes an object through one element of the symmetry group, a block at a time.
#pragma once

#include "common/symmetry.h"
#include "cuda/device.h"
#include "cuda/walk.h"

namespace symbreak {

// What one object undergoes; `turn` is e^{i phase}, exactly 1 for phase 0, so that index maps copy
// bits. Offsets are those of an IndexMap in 32 bits: modulo the size on periodic axes, and cut off
// where nothing of the object is left in the window.
template <typename T>
struct Element {
  int offset[3];
  bool flipped;
  Pixel<T> turn;

  SYMBREAK_DEVICE void set(const IndexMap& map, const Grid& grid, bool wrap) {
    constexpr int64_t kFar = 1 << 30;
    for (int axis = 0; axis < 3; ++axis) {
      const int64_t o = map.offset[axis];
      offset[axis] =
          static_cast<int>(wrap ? wrapped(o, grid.size[axis]) : std::max(-kFar, std::min(o, kFar)));
    }
    flipped = map.flipped;
  }

  // The source of pixel n along an axis of that size, or -1 where it is black.
  SYMBREAK_DEVICE int source(int axis, int n, int size, bool wrap) const {
    int from = flipped ? offset[axis] - n : offset[axis] + n;
    if (wrap) from += from < 0 ? size : from >= size ? -size : 0;
    return from >= 0 && from < size ? from : -1;
  }
};

// Rows [begin, end) of y(n) = e^{i phase} C^f x(map(n)); x, y: [depth, rows, columns].
template <typename T>
SYMBREAK_DEVICE void write_rows(const Pixel<T>* x, Pixel<T>* __restrict__ y, const Grid& grid,
                                const Element<T>& shared, bool wrap, int64_t begin, int64_t end) {
  const Element<T> element = shared;
  const Pixel<T> turn = element.turn;
  const bool turned = turn.re != 1 || turn.im != 0;
  const int depth = static_cast<int>(grid.size[0]), height = static_cast<int>(grid.size[1]);
  const int width = static_cast<int>(grid.size[2]);
  visit_columns(grid, [&](int column, int first, int step) {
    const int from = element.source(2, column, width, wrap);
    const int64_t stride = int64_t{step} * width;
    Pixel<T>* to = y + (begin + first) * width + column;
    RowPosition at(grid, begin + first);
    for (int left = static_cast<int>(end - begin) - first; left > 0; left -= step) {
      const int plane = element.source(0, at.plane, depth, wrap);
      const int row = element.source(1, at.row, height, wrap);
      Pixel<T> value{0, 0};
      if (from >= 0 && plane >= 0 && row >= 0) {
        value = x[(int64_t{plane} * height + row) * width + from];
        if (element.flipped) value.im = -value.im;
        if (turned) {
          value = {turn.re * value.re - turn.im * value.im,
                   turn.re * value.im + turn.im * value.re};
        }
      }
      *to = value;
      to += stride;
      at.advance(step);
    }
  });
}

}  // namespace symbreak
