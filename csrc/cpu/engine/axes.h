// The plans of all axes of a grid.
#pragma once

#include <optional>

#include "common/grid.h"
#include "cpu/engine/plan.h"

namespace symbreak {

template <typename T>
struct Axes {
  explicit Axes(const Grid& grid)
      : rows(static_cast<int>(grid.size[2])), columns(static_cast<int>(grid.size[1])) {
    if (grid.size[0] > 1) stack.emplace(static_cast<int>(grid.size[0]));
  }

  OwnedPlan<T> rows;                  // along the rows, axis 1 of an image
  OwnedPlan<T> columns;               // axis 0
  std::optional<OwnedPlan<T>> stack;  // axis 0 of a volume
};

}  // namespace symbreak
