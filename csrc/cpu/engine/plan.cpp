// Radices, twiddles and digit reversal of one axis.
#include "cpu/engine/plan.h"

#include <bit>
#include <cmath>
#include <initializer_list>
#include <numbers>

namespace symbreak {
namespace {

constexpr int kOddRadices[] = {13, 11, 7, 5, 3};

// 16 where the length allows; else 4, else the largest odd radix, since a tail has no twiddles.
int choose_tail(int length) {
  if (length % 16 == 0 && length > 16) return 16;
  if (length % 4 == 0) return 4;
  for (int radix : kOddRadices) {
    if (length % radix == 0) return radix;
  }
  return 2;
}

// Radix 4 wherever possible; the first radix is fused with the real-space update.
std::vector<int> choose_radices(int length) {
  std::vector<int> radices;
  int rest = length / choose_tail(length);
  for (int radix : kOddRadices) {
    for (; rest % radix == 0; rest /= radix) radices.push_back(radix);
  }
  // A 2 goes second, so that long lines fall into four sections after the first pass.
  const int powers = std::countr_zero(static_cast<unsigned>(rest));
  for (int i = 0; i < powers / 2; ++i) radices.push_back(4);
  const int second = radices.empty() ? 0 : 1;
  if (powers % 2 == 1) radices.insert(radices.begin() + second, 2);
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
