// The table of plans: entries are made when a length is first asked for, and stay.
#include "cpu/symmetries/plans.h"

#include <algorithm>
#include <memory>
#include <mutex>

namespace symbreak {
namespace {

constexpr int kStep = 16, kLongest = 2048;

}  // namespace

int64_t padded_length(int64_t n) {
  for (int64_t length = (std::max<int64_t>(n, 1) + kStep - 1) / kStep * kStep; length <= kLongest;
       length += kStep) {
    if (axis_supported(length)) return length;
  }
  return 0;
}

template <typename T>
LengthPlan<T>::LengthPlan(int length) : axis(length), position(length) {
  for (int p = 0; p < length; ++p) position[axis.frequency()[p]] = p;
}

template <typename T>
const LengthPlan<T>& plan_of_length(int length) {
  static std::once_flag made[kLongest / kStep + 1];
  static std::unique_ptr<LengthPlan<T>> plans[kLongest / kStep + 1];
  const int entry = length / kStep;
  std::call_once(made[entry], [&] { plans[entry] = std::make_unique<LengthPlan<T>>(length); });
  return *plans[entry];
}

template const LengthPlan<float>& plan_of_length<float>(int);
template const LengthPlan<double>& plan_of_length<double>(int);

}  // namespace symbreak
