// One axis of the fused engines: its radices, the order its transform leaves, its twiddle factors.
#pragma once

#include <cstdint>

#include "common/phasing_start.h"
#include "cuda/device.h"

namespace symbreak {

// Radices R_0 R_1 ... of a line: pass s works on blocks of n_s = length / (R_0 ... R_{s-1}) points,
// which it splits into R_s; common/fft.h says where the frequencies end up.
template <int... kR>
struct Radices {
  static constexpr int kPasses = sizeof...(kR);
  static constexpr int kLength = (kR * ...);
  static constexpr int kRadix[kPasses] = {kR...};

  static constexpr int block(int pass) {
    int n = kLength;
    for (int s = 0; s < pass; ++s) n /= kRadix[s];
    return n;
  }
  static constexpr int stride(int pass) { return block(pass) / kRadix[pass]; }
  // The twiddle factors of pass s are [R_s][n_s / R_s], those of all passes one after the other;
  // the last pass has none.
  static constexpr int twiddle_offset(int pass) {
    int offset = 0;
    for (int s = 0; s < pass; ++s) offset += block(s);
    return offset;
  }
  static constexpr int kTwiddles = twiddle_offset(kPasses - 1);
};

// The same at run time.
struct AxisPlan {
  int length = 0, passes = 0, twiddles = 0;
  int radix[4] = {};

  template <class Axis>
  static AxisPlan of(Axis) {
    AxisPlan plan{Axis::kLength, Axis::kPasses, Axis::kTwiddles};
    for (int s = 0; s < Axis::kPasses; ++s) plan.radix[s] = Axis::kRadix[s];
    return plan;
  }

  // The frequency at `position` of a transformed line.
  SYMBREAK_DEVICE int frequency(int position) const {
    int block = length, weight = 1, result = 0;
    for (int s = 0; s < passes; ++s) {
      block /= radix[s];
      result += position / block * weight;
      position %= block;
      weight *= radix[s];
    }
    return result;
  }

  // The position that the row sweep stores at `index` of a line: outputs of the last pass that
  // neighbouring threads hold come to lie side by side.
  SYMBREAK_DEVICE int row_position(int index) const {
    const int last = radix[passes - 1], items = length / last;
    return index % items * last + index / items;
  }
};

// cos and sin of 2 pi o k / n for entry [k][o] of each pass.
template <typename T>
struct FillTwiddles {
  AxisPlan plan;
  Pixel<T>* twiddles;
  SYMBREAK_DEVICE void operator()(unsigned, int64_t index) const {
    int block = plan.length, rest = static_cast<int>(index);
    int pass = 0;
    for (; rest >= block; ++pass) {
      rest -= block;
      block /= plan.radix[pass];
    }
    const int stride = block / plan.radix[pass];
    const double angle = 2 * kPi * (rest / stride) * (rest % stride) / block;
    twiddles[index] = {T(cos(angle)), T(sin(angle))};
  }
};

}  // namespace symbreak
