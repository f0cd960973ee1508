// The row sweep: a block takes a few whole rows.
//
// Global memory is touched where neighbouring threads hold neighbouring points: x and support in
// the first pass, states in the order that the last pass gives them.
#pragma once

#include "cuda/line_passes.h"
#include "cuda/two_pass.h"

namespace symbreak {

inline constexpr int kRowThreads = 128;

template <typename T, class Axis>
struct RowTile {
  // Gaps that spread the points of a warp over the banks, which kBanks neighbouring points meet all
  // of: one in every kBanks where strides are powers of two; where the last radix is 3, after every
  // block of the middle pass, if its items would else fall on one another (tests/shared_banks.cpp
  // counts).
  static constexpr int kBanks = 128 / int(sizeof(Pixel<T>));
  static constexpr int kLastRadix = Axis::kRadix[Axis::kPasses - 1];
  static constexpr bool kEven = kLastRadix % 2 == 0;
  static constexpr bool kBlocks = kLastRadix == 3 && Axis::kPasses == 3 && Axis::block(1) > 16;
  static constexpr int kPeriod = kEven ? kBanks : kBlocks ? Axis::block(1) : Axis::kLength;
  static constexpr int gap() {
    if (!kBlocks) return kEven;
    int points = 0;
    while ((kPeriod + points) % kBanks != 3 && (kPeriod + points + 3) % kBanks != 0) ++points;
    return points;
  }
  static constexpr int kGap = gap();
  static constexpr int gapped(int position) { return position + position / kPeriod * kGap; }
  // Of an odd axis, the next line goes on where the items of the first pass end.
  static constexpr int kEnd = gapped(Axis::kLength);
  static constexpr int kPitch =
      kEven ? kEnd : kEnd + (Axis::stride(0) + kBanks - kEnd % kBanks) % kBanks;
  static constexpr int kPoints = 16384 / int(sizeof(Pixel<T>));
  static constexpr int kLines = kPoints > Axis::kLength ? kPoints / Axis::kLength : 1;
  static constexpr int64_t kBytes = int64_t(kLines * kPitch + Axis::kTwiddles) * sizeof(Pixel<T>);

  Pixel<T>* points;

  // The points of an item: each at a constant distance from the first, an immediate operand.
  template <class Item>
  struct ItemPoints {
    static constexpr int kStride = Item::kStride, kBlock = Item::kRadix * kStride;
    static_assert((kPeriod % kBlock == 0 || kBlock % kPeriod == 0) &&
                  (kPeriod % kStride == 0 || kStride % kPeriod == 0));
    Pixel<T>* first;
    SYMBREAK_DEVICE Pixel<T>& operator[](int j) const { return first[gapped(j * kStride)]; }
  };
  template <class Item>
  SYMBREAK_DEVICE ItemPoints<Item> at(int line, const Item& item) const {
    return {points + line * kPitch + gapped(item.base)};
  }
};

template <typename T, class Axis>
SYMBREAK_DEVICE void load_state(const RowTile<T, Axis>& tile, const Pixel<T>* from, int lines,
                                const Pixel<T>* twiddles) {
  using Last = Item<Axis, Axis::kPasses - 1>;
  for (int i = threadIdx.x; i < lines * Last::kCount; i += kRowThreads) {
    const int line = i / Last::kCount, index = i % Last::kCount;
    const Last item(index);
    const Pixel<T>* const states = from + (line * Axis::kLength + index);
    Complex<T> v[Last::kRadix];
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      v[k] = to_complex(states[k * Last::kCount]);
    }
    item.inverse(v, twiddles);
    const auto points = tile.at(line, item);
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) points[k] = to_pixel(v[k]);
  }
  __syncthreads();
  middle_pass<Axis, Direction::kInverse, kRowThreads, false>(tile, lines, twiddles);
}

template <typename T, class Axis>
SYMBREAK_DEVICE void store_state(const RowTile<T, Axis>& tile, Pixel<T>* to, int lines,
                                 const Pixel<T>* twiddles) {
  __syncthreads();
  middle_pass<Axis, Direction::kForward, kRowThreads, false>(tile, lines, twiddles);
  using Last = Item<Axis, Axis::kPasses - 1>;
  for (int i = threadIdx.x; i < lines * Last::kCount; i += kRowThreads) {
    const int line = i / Last::kCount, index = i % Last::kCount;
    const Last item(index);
    const auto points = tile.at(line, item);
    Complex<T> v[Last::kRadix];
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) v[k] = to_complex(points[k]);
    item.forward(v, twiddles);
    Pixel<T>* const states = to + (line * Axis::kLength + index);
    SYMBREAK_UNROLL for (int k = 0; k < Last::kRadix; ++k) {
      states[k * Last::kCount] = to_pixel(v[k]);
    }
  }
}

template <typename T, class Axis>
SYMBREAK_KERNEL void __launch_bounds__(kRowThreads) row_sweep_kernel(RowSweep<T> sweep) {
  SYMBREAK_SHARED(memory);
  using Tile = RowTile<T, Axis>;
  using First = Item<Axis, 0>;
  Pixel<T>* const twiddles = reinterpret_cast<Pixel<T>*>(memory);
  const Tile tile{twiddles + Axis::kTwiddles};
  for (int i = threadIdx.x; i < Axis::kTwiddles; i += kRowThreads) twiddles[i] = sweep.twiddles[i];
  const int64_t first_line = int64_t(blockIdx.x) * Tile::kLines;
  const int64_t left = sweep.lines - first_line;
  const int lines = left < Tile::kLines ? int(left) : Tile::kLines;
  const int64_t start = first_line * Axis::kLength;
  __syncthreads();
  if (sweep.from != nullptr) load_state(tile, sweep.from + start, lines, twiddles);

  for (int i = threadIdx.x; i < lines * First::kCount; i += kRowThreads) {
    const int line = i / First::kCount;
    const First item(i % First::kCount);
    const auto points = tile.at(line, item);
    Complex<T> v[First::kRadix];
    if (sweep.from != nullptr) {
      SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) v[j] = to_complex(points[j]);
      item.inverse(v, twiddles);
    } else {
      SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) v[j] = {0, 0};
    }
    const int64_t at = start + (line * Axis::kLength + item.base);
    if (sweep.bright != nullptr) {
      T* const bright = sweep.bright + 2 * at;
      SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) {
        bright[2 * j * First::kStride] = v[j].re;
      }
      continue;
    }
    Pixel<T>* const iterate = sweep.x + at;
    const uint8_t* const support = sweep.support + at;
    SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) {
      const int n = j * First::kStride;
      const Complex<T> x = to_complex(iterate[n]);
      v[j] = sweep.modulus ? Complex<T>{magnitude<DeviceMath, T>(x), T(0)}
                           : sweep.update(x, v[j], support[n]);
      if (sweep.store) iterate[n] = to_pixel(v[j]);
    }
    if (sweep.to != nullptr) {
      item.forward(v, twiddles);
      SYMBREAK_UNROLL for (int j = 0; j < First::kRadix; ++j) points[j] = to_pixel(v[j]);
    }
  }
  if (sweep.to != nullptr) store_state(tile, sweep.to + start, lines, twiddles);
}

}  // namespace symbreak
