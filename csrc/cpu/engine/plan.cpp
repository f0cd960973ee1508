// Radices, twiddles and digit reversal of one axis.
#include "cpu/engine/plan.h"

#include <cmath>
#include <initializer_list>
#include <numbers>

namespace symbreak {
namespace {

// 16 where the length allows; else 4, else the largest odd radix, since a tail has no twiddles.
int choose_tail(int length) {
  if (length % 16 == 0 && length > 16) return 16;
  if (length % 4 == 0) return 4;
  for (int radix : {13, 11, 7, 5}) {
    if (length % radix == 0) return radix;
  }
  return 3;
}

// Radix 4 wherever possible. The first radix is fused with the real-space update, which takes
// registers: 7, 11 and 13 are slower there than in the middle.
std::vector<int> choose_radices(int length) {
  std::vector<int> radices;
  int rest = length / choose_tail(length);
  for (int radix : {5, 3, 4, 13, 11, 7}) {
    for (; rest % radix == 0; rest /= radix) radices.push_back(radix);
  }
  // A 2 goes second, so that long lines fall into three sections or more after the first pass.
  const bool has_first = !radices.empty() && radices[0] <= 5;
  if (rest == 2) radices.insert(radices.begin() + (has_first ? 1 : 0), 2);
  return radices;
}

bool has_only(int64_t length, std::initializer_list<int> factors) {
  for (int factor : factors) {
    while (length % factor == 0) length /= factor;
  }
  return length == 1;
}

}  // namespace

bool axis_transformable(int64_t length) {
  return length >= 16 && length <= 2048 && has_only(length, {2, 3, 5, 7, 11, 13});
}

bool axis_supported(int64_t length) {
  return length >= 32 && length <= 2048 && length % 16 == 0 && has_only(length, {2, 3, 5});
}

template <typename T>
OwnedPlan<T>::OwnedPlan(int length) {
  std::vector<int> radices = choose_radices(length);
  plan_.length = length;
  plan_.tail = choose_tail(length);
  plan_.passes = static_cast<int>(radices.size());
  std::vector<size_t> offsets;
  int n = length;
  for (int radix : radices) {
    offsets.push_back(twiddles_.size());
    for (int j = 0; j < n / radix; ++j) {
      for (int k = 1; k < radix; ++k) {
        const double angle = 2.0 * std::numbers::pi * (int64_t{j} * k % n) / n;
        twiddles_.push_back(static_cast<T>(std::cos(angle)));
        twiddles_.push_back(static_cast<T>(std::sin(angle)));
      }
    }
    n /= radix;
  }
  for (int i = 0; i < plan_.passes; ++i) {
    plan_.radix[i] = radices[i];
    plan_.twiddles[i] = twiddles_.data() + offsets[i];
  }
  if (plan_.tail == 16) {
    radices.insert(radices.end(), {4, 4});
  } else {
    radices.push_back(plan_.tail);
  }
  frequency_.resize(length);
  for (int position = 0; position < length; ++position) {
    int weight = 1, block = length, rest = position, frequency = 0;
    for (int radix : radices) {
      block /= radix;
      frequency += weight * (rest / block);
      rest %= block;
      weight *= radix;
    }
    frequency_[position] = frequency;
  }
}

template class OwnedPlan<float>;
template class OwnedPlan<double>;

}  // namespace symbreak
