// What a support update's threshold is a fraction of.
#pragma once

#include <cmath>

#include "common/host_device.h"

namespace symbreak {

// What the threshold is a fraction of: the maximum of the blurred |x|, or with of_rms the root mean
// square of |x| within the support so far, which no single pixel moves; the maximum where that is
// less, as the support would else become empty. Without of_rms the second is INFINITY.
SYMBREAK_HD double bright_reference(double maximum, double rms) {
  return rms < maximum ? rms : maximum;
}
SYMBREAK_HD double root_mean_square(double power, double count) {
  return sqrt(power / (count > 0 ? count : 1.0));
}

}  // namespace symbreak
