// The rules that pick one phase and one of the two twin images: the paper's, made exact, and ours.
#pragma once

#include <cmath>

#include "common/host_device.h"

namespace symbreak {

enum class FlipRule { kAngle, kCirculation };

// Frequencies of the twofold oversampled grid, on its last two axes, a quarter turn apart:
// (0, 1), (1, 0), (0, -1), (-1, 0). The angle rule looks at the first of them alone.
constexpr int kRing = 4;

struct FlipMoments {
  double mean_re = 0, mean_im = 0;                  // F x(0)
  double ring_re[kRing] = {}, ring_im[kRing] = {};  // F x on the ring
  double norm = 0;  // sum |re| + |im|: what rounding errors are relative to
};

// Adds what lies at e^{-2 pi i n / M} = turn on an axis: frequency +1 is the ring's j, -1 is
// opposite.
SYMBREAK_HD void add_to_ring(FlipMoments& m, int j, double re, double im, double turn_re,
                             double turn_im) {
  constexpr int kOpposite = kRing / 2;
  m.ring_re[j] += re * turn_re - im * turn_im;
  m.ring_im[j] += re * turn_im + im * turn_re;
  m.ring_re[j + kOpposite] += re * turn_re + im * turn_im;
  m.ring_im[j + kOpposite] += im * turn_re - re * turn_im;
}

// Phases measured from the centre of the content: there a conjugate flip conjugates F x, while from
// the array's corner the same angle is negative for nearly every object and breaks nothing.
// cos_center, sin_center: of 2 pi c / M on the axis of the ring's j.
SYMBREAK_HD void refer_to_center(FlipMoments& m, int j, double cos_center, double sin_center) {
  for (const int k : {j, j + kRing / 2}) {
    const double s = k == j ? sin_center : -sin_center, re = m.ring_re[k];
    m.ring_re[k] = re * cos_center - m.ring_im[k] * s;
    m.ring_im[k] = re * s + m.ring_im[k] * cos_center;
  }
}

// The same sums where their squares are numbers of double: beyond 1e154 these would be infinite,
// and the turn 0. By a power of two, so nothing is rounded, and no result depends on the scale.
SYMBREAK_HD FlipMoments in_range(FlipMoments m) {
  constexpr double kLarge = 0x1p500, kShift = 0x1p600;
  if (m.norm > 1 / kLarge && m.norm < kLarge) return m;
  const double scale = m.norm < 1 ? kShift : 1 / kShift;
  m.mean_re *= scale;
  m.mean_im *= scale;
  m.norm *= scale;
  for (int j = 0; j < kRing; ++j) {
    m.ring_re[j] *= scale;
    m.ring_im[j] *= scale;
  }
  return m;
}

struct Canonical {
  bool flipped = false;
  double turn_re = 1, turn_im = 0;  // e^{i phase}, applied after the flip
  double margin = 0;                // 0: ambiguous
};

// In (-pi, pi].
template <typename T>
SYMBREAK_HD T phase_of(const Canonical& c) {
  const T phase = static_cast<T>(atan2(c.turn_im, c.turn_re));
  return phase == -static_cast<T>(M_PI) ? -phase : phase;
}

// A number that a conjugate flip negates, and how far rounding may move it.
struct OddNumber {
  double value, noise;
};

// Im g at the first frequency over F x(0), phases referred to a real positive F x(0); `second` is
// the former, `noise` that of the sums.
SYMBREAK_HD OddNumber angle_number(double second, double mean, double noise) {
  return {second / mean, noise / mean};
}

// The circulation of F x around frequency 0, sum_j Im(conj(g_j) g_{j+1}) / sum_j |g_j|^2, plus a
// tenth of Im g_0 over the root mean square of g. The first part needs no phase and counts the
// dislocations inside, the second decides for objects without.
SYMBREAK_HD OddNumber circulation_number(const FlipMoments& m, double second, double noise) {
  constexpr double kSecond = 0.1;
  double power = 0, turn = 0;
  for (int j = 0; j < kRing; ++j) {
    const int next = (j + 1) % kRing;
    power += m.ring_re[j] * m.ring_re[j] + m.ring_im[j] * m.ring_im[j];
    turn += m.ring_re[j] * m.ring_im[next] - m.ring_im[j] * m.ring_re[next];
  }
  power /= kRing;
  turn /= kRing;
  const double size = sqrt(power);
  if (!(size > noise)) return {0, 1};
  return {turn / power + kSecond * second / size, 3 * noise / size};
}

// Rotate so that F x(0) > 0; then, if the rule's number is negative, take the conjugate flip, whose
// mean is conj(F x(0)). `epsilon` is that of the object's type: sums below it are rounding errors.
SYMBREAK_HD Canonical canonical_form(FlipRule rule, const FlipMoments& m, double epsilon) {
  Canonical c;
  const double noise = 4 * epsilon * m.norm;
  const double mean = sqrt(m.mean_re * m.mean_re + m.mean_im * m.mean_im);
  if (!(mean > noise)) return c;  // no phase to refer to
  const double re = m.mean_re / mean, im = m.mean_im / mean;
  const double second = m.ring_im[0] * re - m.ring_re[0] * im;  // Im(g_0 conj F x(0)) / |F x(0)|
  const OddNumber odd = rule == FlipRule::kAngle ? angle_number(second, mean, noise)
                                                 : circulation_number(m, second, noise);
  c.flipped = odd.value < -odd.noise;
  c.turn_re = re;
  c.turn_im = c.flipped ? im : -im;
  c.margin = fabs(odd.value) > odd.noise ? fabs(odd.value) : 0;
  return c;
}

}  // namespace symbreak
