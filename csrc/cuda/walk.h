// How a block walks over an object: a thread keeps its column and takes every k-th row.
#pragma once

#include <cstdint>

#include "common/grid.h"
#include "cuda/device.h"

namespace symbreak {

// Rows (of all planes together) that one block takes where several share an object. It depends on
// the grid alone, so that sums do not depend on the batch.
inline int64_t rows_per_block(const Grid& grid) {
  constexpr int64_t kPixels = 4096, kMostBlocks = 1024;
  const int64_t rows = grid.size[0] * grid.size[1];
  const int64_t width = std::max<int64_t>(grid.size[2], 1);
  return std::max<int64_t>({1, kPixels / width, (rows + kMostBlocks - 1) / kMostBlocks});
}

// Threads of a block that walks over so many pixels: some eight each, and whole warps.
inline int threads_for(int64_t pixels) {
  return static_cast<int>(std::max<int64_t>(32, std::min<int64_t>(pixels / 8 / 32 * 32, 256)));
}

// visit(column, first, step) for the columns of this thread, whose rows are first + k step; the
// block takes as many rows at once as fit side by side.
template <typename Visit>
SYMBREAK_DEVICE void visit_columns(const Grid& grid, Visit&& visit) {
  const int width = static_cast<int>(grid.size[2]), threads = static_cast<int>(blockDim.x);
  const int at_once = width < threads ? threads / width : 1;
  const int first = width < threads ? static_cast<int>(threadIdx.x) / width : 0;
  if (first >= at_once) return;
  for (int column = static_cast<int>(threadIdx.x) - first * width; column < width;
       column += threads) {
    visit(column, first, at_once);
  }
}

// Row `r` of all planes as a plane and a row in it, followed without 64-bit divisions.
struct RowPosition {
  int height, plane, row;

  SYMBREAK_DEVICE RowPosition(const Grid& grid, int64_t r)
      : height(static_cast<int>(grid.size[1])) {
    plane = grid.size[0] == 1 ? 0 : static_cast<int>(r / height);
    row = static_cast<int>(r - int64_t{plane} * height);
  }

  SYMBREAK_DEVICE void advance(int rows) {
    row += rows;
    if (row >= height) {
      plane += row / height;
      row %= height;
    }
  }
};

}  // namespace symbreak
