// The rule that picks one phase and one of the two twin images: the paper's, made exact.
#pragma once

#include <cmath>

#include "common/host_device.h"

namespace symbreak {

struct FlipMoments {
  double mean_re, mean_im;    // F x(0)
  double first_re, first_im;  // F x at frequency (0, ..., 0, 1) of the twofold oversampled grid
  double norm;                // sum |re| + |im|: what rounding errors are relative to
};

// Phases measured from the centre of the content: there a conjugate flip conjugates F x, while from
// the array's corner the same angle is negative for nearly every object and breaks nothing.
SYMBREAK_HD FlipMoments refer_to_center(FlipMoments m, double cos_center, double sin_center) {
  const double re = m.first_re * cos_center - m.first_im * sin_center;
  m.first_im = m.first_re * sin_center + m.first_im * cos_center;
  m.first_re = re;
  return m;
}

struct Canonical {
  bool flipped = false;
  double turn_re = 1, turn_im = 0;  // e^{i phase}, applied after the flip
  double margin = 0;                // 0: ambiguous
};

// Rotate so that F x(0) > 0; then, if the second angle is negative, take the conjugate flip, whose
// mean is conj(F x(0)). `epsilon` is that of the object's type: sums below it are rounding errors.
SYMBREAK_HD Canonical angle_rule(const FlipMoments& m, double epsilon) {
  Canonical c;
  const double noise = 4 * epsilon * m.norm;
  const double mean = sqrt(m.mean_re * m.mean_re + m.mean_im * m.mean_im);
  if (!(mean > noise)) return c;  // no phase to refer to
  const double re = m.mean_re / mean, im = m.mean_im / mean;
  const double second = m.first_im * re - m.first_re * im;  // Im(g conj(F x(0))) / |F x(0)|
  c.flipped = second < -noise;
  c.turn_re = re;
  c.turn_im = c.flipped ? im : -im;
  c.margin = fabs(second) > noise ? fabs(second) / mean : 0;
  return c;
}

}  // namespace symbreak
