// The image in shared memory, and who works on what of it.
//
// Pixel (row, column) lies at byte (row N + (column ^ (row & 15))) 8: then 32 lanes along a row and
// 32 lanes along a column both meet all banks evenly. So every pass runs its lanes across the lines
// that it transforms, and twiddle factors are the same for a whole warp. An address is a base plus
// a constant for each point: (base ^ constant) + constant.
//
// An image that one block cannot hold lies in kBlocks of a cluster. Of every kLast rows each block
// has kStep = kLast / kBlocks neighbouring ones: all that the first pass down a column takes
// together. Only the last one, which takes kLast neighbours, reaches into the other blocks.
#pragma once

#include "cuda/line_passes.h"

namespace symbreak {

template <class Axis_, int kBlocks_ = 1>
struct OnChipLayout {
  using Axis = Axis_;
  static_assert(Axis::kPasses == 2);
  static constexpr int kSize = Axis::kLength, kFirst = Axis::kRadix[0], kLast = Axis::kRadix[1];
  static constexpr int kBlocks = kBlocks_, kRows = kSize / kBlocks, kStep = kLast / kBlocks;
  static_assert(kRows % 32 == 0 && 16 % kLast == 0 && kFirst <= 16 && kStep * kBlocks == kLast);
  static constexpr int kPixelsPerThread = 32;  // of the iterate, in registers
  static constexpr int kThreads = kRows * kSize / kPixelsPerThread, kWarps = kThreads / 32;
  // Items of each pass that a warp takes, along its block's rows and down the columns.
  static constexpr int kFirstItems = kRows / 32 * kLast / kWarps;
  static constexpr int kLastItems = kRows / 32 * kFirst / kWarps;
  static_assert(kFirstItems * kFirst == kPixelsPerThread &&
                kLastItems * kLast == kPixelsPerThread &&
                kSize / 32 * kStep == kFirstItems * kWarps &&
                kSize / 32 * kFirst == kLastItems * kWarps * kBlocks);
  static constexpr int kRow = kSize * int(sizeof(Pixel<float>));  // bytes
  static constexpr int64_t kBytes = int64_t{kRows} * kRow + kRow + kWarps * int64_t{sizeof(float)};
  static constexpr int64_t kAmplitudeBytes = int64_t{kRows} * kSize * sizeof(float);

  // The row of the image that is row `row` of block `block`.
  static SYMBREAK_DEVICE int image_row(int block, int row) {
    return row / kStep * kLast + block * kStep + row % kStep;
  }

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
  // Down a column, first pass: rows item + kStep j of the block.
  static SYMBREAK_DEVICE int column_first(int column, int item) {
    return item * kRow + ((column ^ item) << 3);
  }
  static SYMBREAK_DEVICE int column_first(int base, int, int j) {
    return (base ^ low(kStep * j)) + j * kStep * kRow;
  }
  // Down a column, last pass: rows kStep item + n of each block, n < kStep.
  static SYMBREAK_DEVICE int column_last(int column, int item) {
    return item * kStep * kRow + ((column ^ (kStep * item & 15)) << 3);
  }
  static SYMBREAK_DEVICE int column_last(int base, int, int n) {
    return (base ^ n << 3) + n * kRow;
  }
};

SYMBREAK_DEVICE Pixel<float>& pixel_at(unsigned char* image, int offset) {
  return *reinterpret_cast<Pixel<float>*>(image + offset);
}

// The points of an item of the last pass down a column: point n is in block n / kStep.
template <class Layout>
struct ColumnPoints {
  Peer blocks[Layout::kBlocks];
  int base;  // in pixels

  SYMBREAK_DEVICE ColumnPoints(unsigned char* image, int column, int item)
      : base(Layout::column_last(column, item) >> 3) {
    SYMBREAK_UNROLL for (int b = 0; b < Layout::kBlocks; ++b) blocks[b] = peer_of(image, b);
  }
  SYMBREAK_DEVICE Complex<float> load(int n) const {
    return to_complex(peer_load<Pixel<float>>(blocks[n / Layout::kStep], offset(n)));
  }
  SYMBREAK_DEVICE void store(int n, const Complex<float>& value) const {
    peer_store(blocks[n / Layout::kStep], offset(n), to_pixel(value));
  }

 private:
  SYMBREAK_DEVICE int offset(int n) const {
    return (base ^ n % Layout::kStep) + n % Layout::kStep * Layout::kSize;
  }
};

// The same where all of the image is in this block.
template <class Axis>
struct ColumnPoints<OnChipLayout<Axis, 1>> {
  unsigned char* image;
  int base;

  SYMBREAK_DEVICE ColumnPoints(unsigned char* image, int column, int item)
      : image(image), base(OnChipLayout<Axis>::column_last(column, item)) {}
  SYMBREAK_DEVICE Complex<float> load(int n) const {
    return to_complex(pixel_at(image, OnChipLayout<Axis>::column_last(base, 0, n)));
  }
  SYMBREAK_DEVICE void store(int n, const Complex<float>& value) const {
    pixel_at(image, OnChipLayout<Axis>::column_last(base, 0, n)) = to_pixel(value);
  }
};

// Which of an image's blocks this is.
template <class Layout>
SYMBREAK_DEVICE int own_block() {
  if constexpr (Layout::kBlocks == 1) return 0;
  return static_cast<int>(cluster_rank());
}

// All threads of an image wait for each other.
template <class Layout>
SYMBREAK_DEVICE void wait_for_image() {
  if constexpr (Layout::kBlocks == 1) {
    __syncthreads();
  } else {
    cluster_sync();
  }
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
