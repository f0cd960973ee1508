// How one axis is transformed: radices, twiddle factors and where each frequency ends up.
#pragma once

#include <cstdint>
#include <vector>

namespace symbreak {

constexpr int kMaxPasses = 8;

// Pass i splits blocks of n_i points (n_0 = length, n_{i+1} = n_i / radix[i]) until blocks of
// `tail` points are left: 16, transformed 4 x 4 with constant twiddles, or one butterfly.
// twiddles[i] holds, for j < n_{i+1} and k = 1..radix[i]-1, the pair cos, sin of 2 pi j k / n_i.
template <typename T>
struct AxisPlan {
  int length = 0;
  int tail = 16;
  int passes = 0;  // >= 1
  int radix[kMaxPasses] = {};
  const T* twiddles[kMaxPasses] = {};
};

// 2^a 3^b 5^c 7^d 11^e 13^f from 16 to 2048.
bool axis_transformable(int64_t length);

// 2^a 3^b 5^c from 32 to 2048 and a multiple of 16: whole vectors, and 16 points at the tail.
bool axis_supported(int64_t length);

template <typename T>
class OwnedPlan {
 public:
  explicit OwnedPlan(int length);
  OwnedPlan(const OwnedPlan&) = delete;
  OwnedPlan& operator=(const OwnedPlan&) = delete;

  const AxisPlan<T>& plan() const { return plan_; }
  // frequency()[p]: the DFT index that the forward transform leaves at position p.
  const std::vector<int>& frequency() const { return frequency_; }

 private:
  AxisPlan<T> plan_;
  std::vector<T> twiddles_;
  std::vector<int> frequency_;
};

}  // namespace symbreak
