// The symmetries as an index map: every one of them reads y(n) = e^{i phase} C^f x(offset + (f ? -n
// : n)).
#pragma once

#include <cstdint>

#include "common/grid.h"
#include "common/host_device.h"

namespace symbreak {

// One element of the group: translation and conjugate flip in one map of indices.
// Unflipped, offset = -shift. Flipped, offset = lo + hi - 1 + shift: the content of [lo, hi) is
// reversed inside its box, then translated.
struct IndexMap {
  int64_t offset[3];
  bool flipped;

  // Where pixel n of the result comes from along `axis`; outside [0, size) it is black.
  SYMBREAK_HD int64_t source(int axis, int64_t n) const {
    return flipped ? offset[axis] - n : offset[axis] + n;
  }
};

// Index on a periodic axis.
SYMBREAK_HD int64_t wrapped(int64_t n, int64_t size) {
  const int64_t r = n % size;
  return r < 0 ? r + size : r;
}

SYMBREAK_HD int64_t flip_offset(int64_t lo, int64_t hi, int64_t shift) {
  return lo + hi - 1 + shift;
}

}  // namespace symbreak
