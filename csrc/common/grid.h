// Grid: the trailing axes of a tensor, seen as three (a 2D grid has depth 1).
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace symbreak {

struct Grid {
  int64_t size[3];  // [depth, rows, columns]
  int64_t rank;     // 2 or 3: which of them are axes of the user's grid

  SYMBREAK_HD int64_t pixels() const { return size[0] * size[1] * size[2]; }
  // The user's axis 0 is size[3 - rank].
  SYMBREAK_HD int64_t axis(int64_t user_axis) const { return 3 - rank + user_axis; }
};

template <typename Sizes>
Grid make_grid(const Sizes& sizes, int64_t rank) {
  Grid grid{{1, 1, 1}, rank};
  const int64_t batch_axes = static_cast<int64_t>(sizes.size()) - rank;
  for (int64_t i = 0; i < rank; ++i) grid.size[grid.axis(i)] = sizes[batch_axes + i];
  return grid;
}

}  // namespace symbreak
