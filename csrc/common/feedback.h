// The numbers of an iteration's real-space half, and the phases that an object may have.
#pragma once

namespace symbreak {

// x' = keep x + project p outside the support, p = P_M x; inside it x' = p. ER, HIO and RAAR differ
// in these two numbers only; the difference map needs a second projection.
//
// Where phases are limited, everywhere
//   x' = keep x + project p + pull P_C(of_projected p - of_iterate x),
// with P_C the projection onto the objects that are 0 outside the support and have such phases
// inside. Without the limit that is p inside, of ER, HIO and RAAR alike.
template <typename T>
struct Feedback {
  T keep, project;
  T pull, of_projected, of_iterate;
};

// The numbers whose phase is at most a limit away from 0, by the limit's cosine and sine. A limit
// of pi is none.
template <typename T>
struct PhaseCone {
  T cosine = -1, sine = 0;
  bool limits = false;
};

}  // namespace symbreak
