// Radices, twiddles and digit reversal of one axis.
#include "plan.h"

#include <cmath>
#include <numbers>

namespace symbreak {
namespace {

// The first radix is the one fused with the real-space update, the last one (4) with the modulus;
// a radix 8 has too many live registers for either and goes between them.
std::vector<int> choose_radices(int length) {
  std::vector<int> radices;
  int rest = length / 4;
  for (int odd : {5, 3}) {
    for (; rest % odd == 0; rest /= odd) radices.push_back(odd);
  }
  int bits = 0;
  while ((rest >> bits) > 1) ++bits;
  const bool lone_two = bits % 2 == 1 && bits < 3 + (radices.empty() ? 2 : 0);
  if (lone_two) {
    radices.push_back(2);
    bits -= 1;
  } else if (bits % 2 == 1) {
    if (radices.empty()) {
      radices.push_back(4);
      bits -= 2;
    }
    radices.push_back(8);
    bits -= 3;
  }
  for (; bits > 0; bits -= 2) radices.push_back(4);
  radices.push_back(4);
  return radices;
}

}  // namespace

bool axis_supported(int64_t length) {
  if (length < 32 || length > 2048 || length % 16 != 0) return false;
  for (int factor : {2, 3, 5}) {
    while (length % factor == 0) length /= factor;
  }
  return length == 1;
}

template <typename T>
OwnedPlan<T>::OwnedPlan(int length) {
  const std::vector<int> radices = choose_radices(length);
  plan_.length = length;
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
