// What a support update's threshold is a fraction of.
#pragma once

#include <cmath>

#include "common/host_device.h"

namespace symbreak {

// What the threshold is a fraction of: the maximum of the blurred |x|, or with of_rms the root mean
// square of |x| within the support so far, which no single pixel moves, but no more than the
// maximum (the support would become empty), and no less than a third of it: a loose support has a
// low root mean square, and would stay loose. Without of_rms the second is INFINITY.
SYMBREAK_HD double bright_reference(double maximum, double rms) {
  const double least = maximum / 3.0;
  return rms < least ? least : rms < maximum ? rms : maximum;
}
SYMBREAK_HD double root_mean_square(double power, double count) {
  return sqrt(power / (count > 0 ? count : 1.0));
}

}  // namespace symbreak
