// How one axis is transformed: radices, twiddle factors and where each frequency ends up.
#pragma once

#include <cstdint>
#include <vector>

namespace symbreak {

constexpr int kMaxPasses = 8;

// Pass i splits blocks of n_i points (n_0 = length, n_{i+1} = n_i / radix[i]) until blocks of 16
// are left, which are transformed 4 x 4 with constant twiddles. twiddles[i] holds, for j < n_{i+1}
// and k = 1..radix[i]-1, the pair cos, sin of 2 pi j k / n_i.
template <typename T>
struct AxisPlan {
  int length = 0;
  int passes = 0;
  int radix[kMaxPasses] = {};
  const T* twiddles[kMaxPasses] = {};
};

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
