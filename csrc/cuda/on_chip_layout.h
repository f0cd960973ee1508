// The image in shared memory, and who works on what of it.
//
// Pixel (row, column) lies at byte (row N + (column ^ (row & 15))) 8: then 32 lanes along a row and
// 32 lanes along a column both meet all banks evenly. So every pass runs its lanes across the lines
// that it transforms, and twiddle factors are the same for a whole warp. An address is a base plus
// a constant for each point: (base ^ constant) + constant.
#pragma once

#include "cuda/line_passes.h"

namespace symbreak {

template <class Axis_>
struct OnChipLayout {
  using Axis = Axis_;
  static_assert(Axis::kPasses == 2);
  static constexpr int kSize = Axis::kLength, kFirst = Axis::kRadix[0], kLast = Axis::kRadix[1];
  static_assert(kSize % 32 == 0 && 16 % kLast == 0 && kFirst <= 16);
  static constexpr int kPixelsPerThread = 32;  // of the iterate, in registers
  static constexpr int kThreads = kSize * kSize / kPixelsPerThread, kWarps = kThreads / 32;
  static constexpr int kGroups = kSize / 32;  // of lines, one per lane
  // Items of each pass that a warp takes.
  static constexpr int kFirstItems = kGroups * kLast / kWarps;
  static constexpr int kLastItems = kGroups * kFirst / kWarps;
  static_assert(kFirstItems * kFirst == kPixelsPerThread &&
                kLastItems * kWarps == kGroups * kFirst);
  static constexpr int kRow = kSize * int(sizeof(Pixel<float>));  // bytes
  static constexpr int64_t kBytes = int64_t{kSize} * kRow + kRow + kWarps * int64_t{sizeof(float)};
  static constexpr int64_t kAmplitudeBytes = int64_t{kSize} * kSize * sizeof(float);

  static constexpr int low(int n) { return (n & 15) << 3; }
  static constexpr int high(int n) { return (n & ~15) << 3; }

  // Along a row, first pass: columns item + kLast j.
  static SYMBREAK_DEVICE int row_first(int row, int item) {
    return row * kRow + ((item ^ (row & 15)) << 3);
  }
  static SYMBREAK_DEVICE int row_first(int base, int, int j) {
    return (base ^ low(kLast * j)) + high(kLast * j);
  }
  // Along a row, last pass: columns kLast item + n.
  static SYMBREAK_DEVICE int row_last(int row, int item) {
    return row * kRow + high(kLast * item) + (low(kLast * item) ^ low(row));
  }
  static SYMBREAK_DEVICE int row_last(int base, int, int n) { return base ^ n << 3; }
  // Down a column, first pass: rows item + kLast j.
  static SYMBREAK_DEVICE int column_first(int column, int item) {
    return item * kRow + ((column ^ item) << 3);
  }
  static SYMBREAK_DEVICE int column_first(int base, int, int j) {
    return (base ^ low(kLast * j)) + j * kLast * kRow;
  }
  // Down a column, last pass: rows kLast item + n.
  static SYMBREAK_DEVICE int column_last(int column, int item) {
    return item * kLast * kRow + ((column ^ (kLast * item & 15)) << 3);
  }
  static SYMBREAK_DEVICE int column_last(int base, int, int n) {
    return (base ^ n << 3) + n * kRow;
  }
};

SYMBREAK_DEVICE Pixel<float>& pixel_at(unsigned char* image, int offset) {
  return *reinterpret_cast<Pixel<float>*>(image + offset);
}

// Where a thread works in round q of a pass whose lines have `items` items: its warp takes one
// item of 32 lines, its lane one of them.
struct OnChipPlace {
  int line, item;
  SYMBREAK_DEVICE OnChipPlace(int round, int rounds, int items) {
    const int thread = static_cast<int>(thread_index());
    const int index = (thread >> 5) * rounds + round;
    line = index / items * 32 + (thread & 31);
    item = index % items;
  }
};

}  // namespace symbreak
