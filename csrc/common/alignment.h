// How the best element of the symmetry group is found: which elements the entries of two
// correlation arrays stand for, which of them rounding cannot tell apart, and what decides then.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/candidates.h"
#include "common/grid.h"
#include "common/host_device.h"
#include "common/symmetry.h"

namespace symbreak {

// With E, R the zero-padded transforms of estimate and reference:
//   unflipped, shift s:  sum_n conj(e(n - s)) r(n)  = F^-1(conj(E) R)(s)
//   flipped, offset o:   sum_n e(o - n) r(n)        = F^-1(E R)(o)
// so both come from one pair of forward transforms. The object flipped about any pivot is a
// translate of this one; every offset at which the two overlap is in [0, 2N - 2].
//
// On one axis, element k in the order of shifts: ascending from -(N - 1), on a periodic axis from 0
// around the circle.
struct LagAxis {
  int64_t size, padded;  // padded >= 2 size - 1; = size on a periodic axis
  bool wrap;

  SYMBREAK_HD int64_t count() const { return wrap ? size : 2 * size - 1; }
  SYMBREAK_HD int64_t shift(int64_t k) const {
    if (!wrap) return k - (size - 1);
    return 2 * k > size ? k - size : k;
  }
  SYMBREAK_HD int64_t offset(bool flipped, int64_t k) const {
    return flipped ? size - 1 + shift(k) : -shift(k);
  }
  // In the correlation array.
  SYMBREAK_HD int64_t index(bool flipped, int64_t k) const {
    return wrapped(flipped ? offset(true, k) : shift(k), padded);
  }
  // The k of an index, or -1 where the objects do not meet.
  SYMBREAK_HD int64_t element(bool flipped, int64_t index) const {
    if (wrap) return flipped ? (index + 1 == size ? 0 : index + 1) : index;
    if (flipped) return index < count() ? index : -1;
    return index < size ? index + size - 1 : std::max<int64_t>(index - padded + size - 1, -1);
  }
};

// The elements of all axes in one order: the unflipped first, then by shift, axis 0 before axis 1.
struct Lags {
  LagAxis axis[3];

  // Of each of the two correlations.
  SYMBREAK_HD int64_t count() const { return axis[0].count() * axis[1].count() * axis[2].count(); }

  // The rank of an entry [flipped][index of the padded array], or -1.
  SYMBREAK_HD int64_t rank(bool flipped, unsigned index) const {
    const unsigned columns = static_cast<unsigned>(axis[2].padded);
    const unsigned rows = static_cast<unsigned>(axis[1].padded);
    const int64_t x = axis[2].element(flipped, index % columns);
    const int64_t y = axis[1].element(flipped, index / columns % rows);
    const int64_t z = axis[0].element(flipped, index / columns / rows);
    if (x < 0 || y < 0 || z < 0) return -1;
    return flipped * count() + (z * axis[1].count() + y) * axis[2].count() + x;
  }

  SYMBREAK_HD IndexMap map(int64_t rank) const {
    IndexMap map{{0, 0, 0}, rank >= count()};
    int64_t rest = rank - map.flipped * count();
    for (int i = 2; i >= 0; --i) {
      map.offset[i] = axis[i].offset(map.flipped, rest % axis[i].count());
      rest /= axis[i].count();
    }
    return map;
  }

  // In the array of both correlations, [2, *padded].
  SYMBREAK_HD int64_t index(int64_t rank) const {
    const bool flipped = rank >= count();
    const int64_t rest = rank - flipped * count(), columns = axis[2].count();
    const int64_t z = axis[0].index(flipped, rest / columns / axis[1].count());
    const int64_t y = axis[1].index(flipped, rest / columns % axis[1].count());
    return ((flipped * axis[0].padded + z) * axis[1].padded + y) * axis[2].padded +
           axis[2].index(flipped, rest % columns);
  }
};

// A product that is rounded before it is added to anything: conj(x) x must be exactly real.
SYMBREAK_HD double rounded_product(double a, double b) {
#if defined(__CUDA_ARCH__)
  return __dmul_rn(a, b);
#else
  return a * b;
#endif
}

// The phase in (-pi, pi]; rounding to T may pass pi or meet -pi.
template <typename T>
SYMBREAK_HD T principal_phase(double im, double re) {
  constexpr T kPi = static_cast<T>(std::numbers::pi);
  const T rounded = static_cast<T>(atan2(im, re));
  return rounded == -kPi ? kPi : rounded;
}

}  // namespace symbreak
