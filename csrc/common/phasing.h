// The phasing task: what every engine is asked to do, in plain pointers and numbers.
#pragma once

#include <cstdint>
#include <vector>

namespace symbreak {

enum class Algorithm : int { kER, kHIO, kRAAR, kDM };

struct Step {
  Algorithm algorithm;
  int64_t count;  // iterations, >= 1
};

using Schedule = std::vector<Step>;

// The support update of Marchesini et al. 2003; `every` = 0 keeps the support fixed.
struct ShrinkwrapRule {
  int64_t every = 0;
  double sigma = 3.0;      // pixels; update j uses max(sigma * decay^j, sigma_min)
  double sigma_min = 1.5;  // pixels
  double decay = 0.99;
  double threshold = 0.2;    // of the blurred maximum
  double area_start = -1.0;  // >= 0: keep this fraction of the pixels instead of the threshold,
  double area_end = -1.0;    // going linearly to this one at the last update
};

// What happens outside the support: x' = keep * x + project * P_M x (inside it x' = P_M x).
// ER, HIO and RAAR differ in these two numbers only; the difference map needs a second projection.
struct Feedback {
  double keep;
  double project;
};

inline Feedback feedback(Algorithm algorithm, double beta) {
  switch (algorithm) {
    case Algorithm::kHIO:
      return {1.0, -beta};
    case Algorithm::kRAAR:
      return {beta, 1.0 - 2.0 * beta};
    default:
      return {0.0, 0.0};
  }
}

inline int64_t total_iterations(const Schedule& schedule) {
  int64_t total = 0;
  for (const Step& step : schedule) total += step.count;
  return total;
}

// How many support updates a schedule of `total` iterations holds: after k = every, 2 every, ...
// but not after the last iteration, so that the result obeys the support it is returned with.
inline int64_t support_updates(const ShrinkwrapRule& rule, int64_t total) {
  return rule.every > 0 && total > 0 ? (total - 1) / rule.every : 0;
}

}  // namespace symbreak
