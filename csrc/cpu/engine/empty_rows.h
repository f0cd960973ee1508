// Blocks of rows that hold nothing of the support. Where the outside is set to zero, as in ER and
// for the error, they and their transform are zeros: nothing is to be computed. An object fills at
// most half the grid along each axis, so that is about half of the blocks of an image, and of a
// volume half of the planes and half of the blocks in the others.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "cpu/engine/kernels.h"

namespace symbreak {

// Whether blocks [begin, end) of the rows of an image or plane hold some of the support.
template <typename T>
bool has_support(const Image<T>& image, int lanes, int begin, int end) {
  const int64_t size = int64_t{image.padded_columns} * lanes;
  return std::memchr(image.mask + begin * size, -1, (end - begin) * size) != nullptr;
}

// Calls body(true, first, last) for the runs of blocks of [begin, end) that hold some of the
// support, body(false, first, last) for the others; where nothing may be skipped, the first for
// all.
template <typename T, typename Body>
void for_runs(const Image<T>& image, int lanes, bool skips, int begin, int end, const Body& body) {
  if (!skips) return body(true, begin, end);
  for (int first = begin, last; first < end; first = last) {
    const bool inside = has_support(image, lanes, first, first + 1);
    last = first + 1;
    while (last < end && has_support(image, lanes, last, last + 1) == inside) ++last;
    body(inside, first, last);
  }
}

// Zeros in blocks [begin, end) of the rows of `target`, which is state or second.
template <typename T>
void clear_tiles(const Image<T>& image, T* target, int lanes, int begin, int end) {
  const int64_t block = 2 * int64_t{lanes} * lanes;
  for (int column = 0; column < image.column_blocks; ++column) {
    std::fill_n(target + column * image.state_stride + begin * block, (end - begin) * block, T(0));
  }
}

// And in those of the iterate.
template <typename T>
void clear_iterate(const Image<T>& image, int lanes, int begin, int end) {
  const int64_t block = 2 * int64_t{image.padded_columns} * lanes;
  std::fill_n(image.iterate + begin * block, (end - begin) * block, T(0));
}

}  // namespace symbreak
