// What is decided about an object once it is surveyed: its box, its shift, its canonical twin.
#pragma once

#include <limits>

#include "cuda/element.h"
#include "cuda/survey.h"

namespace symbreak {

enum class Rule { kPivot, kCenter, kBreak };

// Objects to be placed, and where the results go; those a rule has not are null.
template <typename T>
struct Placement {
  const Pixel<T>* x;  // [items, depth, rows, columns]
  Pixel<T>* object;   // the same shape
  int64_t* shift;     // [items, rank]; lo + hi - 1 by Rule::kPivot
  bool* flipped;      // [items]
  T* phase;           // [items]
  T* margin;          // [items]
  int64_t items;
  Grid grid;
  double tol;
  bool wrap;
  FlipRule rule;

  // Flags of csrc/cuda/survey.h for one object; none on a window.
  SYMBREAK_HD int64_t flags() const {
    return wrap ? grid.size[0] + grid.size[1] + grid.size[2] : 0;
  }
};

template <typename T>
SYMBREAK_DEVICE Box box_of(const Survey<T>& s, const unsigned* occupied, const Placement<T>& job) {
  Box box;
  if (s.peak >= Magnitude<T>::kInfinity) {
    box.content = Content::kNonFinite;
  } else if (s.peak > 0 && s.hi[2] > 0) {
    box.content = Content::kSome;
    for (int axis = 0; axis < 3; ++axis) {
      box.lo[axis] = s.lo[axis];
      box.hi[axis] = s.hi[axis];
      if (job.wrap) {
        find_extent(occupied, job.grid.size[axis], true, &box.lo[axis], &box.hi[axis]);
        occupied += job.grid.size[axis];
      }
    }
  }
  return box;
}

// Writes the results of one object and returns what it undergoes; for one thread.
template <Rule kRule, typename T>
SYMBREAK_DEVICE Element<T> decide(const Survey<T>& s, const unsigned* occupied,
                                  const Placement<T>& job, int64_t item) {
  const Box box = box_of(s, occupied, job);
  Canonical canonical;
  if constexpr (kRule == Rule::kBreak) {
    if (box.content == Content::kSome) {
      FlipMoments moments = s.moments;
      for (int j = 0; j < kRing / 2; ++j) {
        const int axis = 2 - j;
        double sin_center, cos_center;
        const double center = 0.5 * double(box.lo[axis] + box.hi[axis] - 1);
        sincospi(center / double(job.grid.size[axis]), &sin_center, &cos_center);
        refer_to_center(moments, j, cos_center, sin_center);
      }
      // Sums of floats always are in range.
      if constexpr (sizeof(T) == sizeof(double)) moments = in_range(moments);
      canonical = canonical_form(job.rule, moments, std::numeric_limits<T>::epsilon());
    }
    if (box.content == Content::kNonFinite) {
      canonical.margin = std::numeric_limits<double>::quiet_NaN();
    }
    job.flipped[item] = canonical.flipped;
    job.phase[item] = phase_of<T>(canonical);
    job.margin[item] = static_cast<T>(canonical.margin);
  }
  IndexMap map{{0, 0, 0}, canonical.flipped};
  Element<T> element;
  element.turn = {static_cast<T>(canonical.turn_re), static_cast<T>(canonical.turn_im)};
  for (int axis = 0; axis < 3; ++axis) {
    const int64_t size = job.grid.size[axis];
    const int64_t shift = centring_shift(box.lo[axis], box.hi[axis], size, job.wrap);
    map.offset[axis] = canonical.flipped ? flip_offset(box.lo[axis], box.hi[axis], shift) : -shift;
    const int64_t user_axis = axis - job.grid.axis(0);
    if (user_axis < 0) continue;
    // Content without a box is reversed as a whole.
    const int64_t pivot =
        box.content == Content::kSome ? box.lo[axis] + box.hi[axis] - 1 : size - 1;
    job.shift[job.grid.rank * item + user_axis] = kRule == Rule::kPivot ? pivot : shift;
  }
  element.set(map, job.grid, job.wrap);
  return element;
}

}  // namespace symbreak
