// Transform plans by length, made once in a process.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/engine/plan.h"

namespace symbreak {

template <typename T>
struct LengthPlan {
  explicit LengthPlan(int length);

  OwnedPlan<T> axis;
  std::vector<int> position;  // [length] where the forward transform leaves each frequency
};

// The shortest length with codelets that is >= n (2^a 3^b 5^c, a multiple of 16, 32..2048), or 0.
int64_t padded_length(int64_t n);

// `length` must be one with codelets. Safe to call from several threads.
template <typename T>
const LengthPlan<T>& plan_of_length(int length);

}  // namespace symbreak
