// Where the window of an object lies in its zero-padded grid.
#pragma once

#include "common/grid.h"
#include "cuda/device.h"

namespace symbreak {

// The pixel of the window at pixel n of the padded grid (below 2^31 pixels), or -1 where it is
// black; the window is at the origin.
SYMBREAK_DEVICE int64_t window_pixel(unsigned n, const Grid& grid, const Grid& padded) {
  const unsigned columns = unsigned(padded.size[2]), rows = unsigned(padded.size[1]);
  const unsigned column = n % columns, row = n / columns % rows, plane = n / columns / rows;
  if (column >= grid.size[2] || row >= grid.size[1] || plane >= grid.size[0]) return -1;
  return (plane * grid.size[1] + row) * grid.size[2] + column;
}

}  // namespace symbreak
