// Which entries of a correlation rounding cannot tell from the largest.
#pragma once

#include <cmath>

#include "common/host_device.h"

namespace symbreak {

// More index maps than this within rounding of the best: the transforms cannot tell them apart.
inline constexpr int kMaxCandidates = 16;

// The least |c|^2 that is within rounding of the largest. c is a correlation times `gain`, and the
// error of a transform is some eps of the norms |e| |r|, whatever the size of the correlation.
SYMBREAK_HD double least_power(double largest, double norms, double epsilon, double gain = 1) {
  const double least = sqrt(largest) - 32 * epsilon * norms * gain;
  return least > 0 ? least * least : 0;
}

}  // namespace symbreak
