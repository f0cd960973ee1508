// The phasing task: what every engine is asked to do, in plain pointers and numbers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/feedback.h"
#include "common/grid.h"
#include "common/monitor.h"
#include "common/schedule.h"

namespace symbreak {

// The support update of Marchesini et al. 2003; `every` = 0 keeps the support fixed.
struct ShrinkwrapRule {
  int64_t every = 0;
  double sigma = 3.0;      // pixels; update j uses max(sigma * decay^j, sigma_min)
  double sigma_min = 1.5;  // pixels
  double decay = 0.99;
  double threshold = 0.2;  // of bright_reference(), common/bright.h
  bool of_rms = false;
  double area_start = -1.0;  // >= 0: keep this fraction of the pixels instead of the threshold,
  double area_end = -1.0;    // going linearly to this one at the last update
  int64_t hold = 0;          // the last so many iterations keep the support they find, and
  int64_t average = 0;  // go on from the mean of iterates of so many before them; 0: they do not

  bool keeps_area() const { return area_start >= 0; }
};

// ER; HIO, where phases are limited the hybrid projection-reflection method (Bauschke, Combettes
// and Luke 2003), its form for convex sets; RAAR (Luke 2005).
template <typename T>
Feedback<T> feedback(Algorithm algorithm, double beta) {
  switch (algorithm) {
    case Algorithm::kHIO:
      return {T(1), T(-beta), T(1), T(1 + beta), T(1)};
    case Algorithm::kRAAR:
      return {T(beta), T(1 - 2 * beta), T(beta), T(2), T(1)};
    default:
      return {T(0), T(0), T(1), T(1), T(0)};
  }
}

// The difference map, x + beta (P_C((1 + 1/beta) p - x/beta) - q), in two steps: this one with
// p = P_M x, then x' - beta q with the q of the old x.
template <typename T>
Feedback<T> difference_map_pull(double beta) {
  return {T(1), T(0), T(beta), T(1 + 1 / beta), T(1 / beta)};
}

// How many support updates a schedule of `total` iterations holds: after k = every, 2 every, ...,
// but not within the last `hold` iterations, nor after the last one, so that the result obeys the
// support it is returned with.
inline int64_t support_updates(const ShrinkwrapRule& rule, int64_t total) {
  const int64_t last = total - std::max<int64_t>(rule.hold, 1);
  return rule.every > 0 && last > 0 ? last / rule.every : 0;
}

// One update: |x|, blurred, is above a fraction of its reference, or among the brightest.
struct SupportUpdate {
  double sigma;      // pixels
  double threshold;  // of bright_reference(), common/bright.h
  bool of_rms;
  int64_t kept;  // > 0: so many pixels instead
};

// `way`: from the first area, 0, to the last, 1.
inline int64_t kept_pixels(const ShrinkwrapRule& rule, double way, int64_t pixels) {
  if (!rule.keeps_area()) return 0;
  const double area = rule.area_start + way * (rule.area_end - rule.area_start);
  return std::clamp<int64_t>(std::llround(area * static_cast<double>(pixels)), 1, pixels);
}

// Update j = 0, 1, ... of `updates`.
inline SupportUpdate support_update(const ShrinkwrapRule& rule, int64_t j, int64_t updates,
                                    int64_t pixels) {
  const double narrowed = rule.sigma * std::pow(rule.decay, static_cast<double>(j));
  const double way = updates > 1 ? static_cast<double>(j) / static_cast<double>(updates - 1) : 0.0;
  return {std::max(narrowed, rule.sigma_min), rule.threshold, rule.of_rms,
          kept_pixels(rule, way, pixels)};
}

// That of the mean of iterates. It has less noise than they, so a narrow blur finds its edges; and
// it is less than they where they differ, as at edges, so the threshold is lower.
inline SupportUpdate support_of_mean(const ShrinkwrapRule& rule, int64_t pixels) {
  return {std::min(rule.sigma_min, 1.0), 7.0 / 8 * rule.threshold, rule.of_rms,
          kept_pixels(rule, 1, pixels)};
}

// Which iterates a mean is taken of: every tenth, for neighbours are nearly the same, and the one
// after iteration `last`, whose place it takes.
struct AveragedIterates {
  static constexpr int64_t kStep = 10;
  int64_t last = 0, count = 0;

  int64_t first() const { return last - kStep * (count - 1); }
  bool has(int64_t k) const {
    return count > 0 && k >= first() && k <= last && (last - k) % kStep == 0;
  }
  // The next one after iteration k; without one the largest number.
  int64_t next(int64_t k) const {
    if (count == 0 || k >= last) return INT64_MAX;
    return k < first() ? first() : k + kStep - (k - first()) % kStep;
  }
};

// A pattern that partial coherence has blurred. After iteration k >= `first`, if `every` divides
// it, the amplitudes that an image is held to become those of its own pattern, corrected by what
// that misses when it is blurred; python/symbreak/coherence has the formulas.
struct BlurRule {
  int64_t first = 0, every = 0;  // first: a multiple of every
  double* variances = nullptr;   // [items, starts, rank] of the blur along the axes, pixels^2
  const double* dark = nullptr;  // [items] amplitudes, what the weights of the fit add to the
                                 // measured ones; nullptr: the variances are known and stay
};

// T: float or double. Complex arrays are interleaved. An image is one start of one item.
//
// Iterations are counted k = 1 .. total over the whole schedule. After iteration k, in this order:
// its error is recorded if record_every divides k; the support is updated as `update_after` says;
// of a blurred pattern the amplitudes are corrected, and from then on the errors are those of the
// blurred pattern within the support of that moment; if k is the last of `averaged`, the iterate
// becomes their mean and the support that of the mean. A requested stop ends the work early.
template <typename T>
struct PhasingTask {
  Grid grid;
  int64_t items, starts;
  Schedule schedule;
  double beta;
  ShrinkwrapRule shrinkwrap;
  int64_t record_every;  // 0: no history
  const T* amplitude;    // [items, *grid], at most 1; < 0: see marked_amplitude()
  T* object;             // [items, starts, *grid, 2]; in: the start, out: the last iterate
  uint8_t* support;      // [items, starts, *grid], 0 or 1; in: the first, out: the last
  T* error;              // [items, starts], and
  T* history;            // [items, starts, records]: NaN before, and left so where not reached
  Monitor* monitor;      // nullptr: nobody watches
  int64_t before = 0;    // iterations of a longer schedule that came before this part of it,
  int64_t after = 0;     // and that follow it: the support updates count them
  const BlurRule* blur = nullptr;  // nullptr: a coherent beam
  // The phase inside the support is at most so far from 0, in radians; pi: no limit.
  double phase_limit = std::numbers::pi;
  bool bounded = false;  // of some pixels the amplitude is the least

  int64_t images() const { return items * starts; }
  int64_t records() const {
    return record_every > 0 ? total_iterations(schedule) / record_every : 0;
  }
  int64_t updates() const {
    return support_updates(shrinkwrap, before + total_iterations(schedule) + after);
  }
  PhaseCone<T> cone() const {
    return {T(std::cos(phase_limit)), T(std::sin(phase_limit)), phase_limit < std::numbers::pi};
  }
  // Of a whole schedule, not of a part.
  AveragedIterates averaged() const {
    const int64_t step = AveragedIterates::kStep, count = shrinkwrap.average;
    return {total_iterations(schedule) - shrinkwrap.hold,
            count > 0 ? std::max<int64_t>(1, count / step) : 0};
  }
  // Which support update, 0, 1, ..., is due after iteration k; -1: none.
  int64_t update_after(int64_t k) const {
    const int64_t every = shrinkwrap.every, all = before + k;
    return every > 0 && all % every == 0 && all / every <= updates() ? all / every - 1 : -1;
  }
  // Whether the amplitudes are due to be corrected after iteration k.
  bool corrected_after(int64_t k) const {
    return blur != nullptr && k >= blur->first && k % blur->every == 0;
  }
};

// Takes `engine` through the schedule with `images` images at once, in runs of equal iterations as
// long as nothing is due between them, at most `longest_run`. Before each run it looks whether a
// stop was requested; the answer is whether the end was reached.
//   iterate(algorithm, count), record(j)   record j = 0, 1, ... of the history
//   update_support(update)
//   add_iterate(first)                     to the mean, of which it is perhaps the first
//   take_mean(share)                       the iterate becomes `share` times the sum
template <typename T, typename Engine>
bool walk_schedule(const PhasingTask<T>& task, int64_t images, int64_t longest_run,
                   Engine& engine) {
  const int64_t every = task.shrinkwrap.every, updates = task.updates();
  const int64_t pixels = task.grid.pixels();
  const AveragedIterates averaged = task.averaged();
  int64_t k = 0;
  for (const Step& step : task.schedule) {
    for (int64_t left = step.count; left > 0;) {
      if (task.monitor != nullptr && task.monitor->stopped()) return false;
      int64_t run = std::min(left, longest_run);
      if (task.record_every > 0) run = std::min(run, task.record_every - k % task.record_every);
      if (every > 0) run = std::min(run, every - (task.before + k) % every);
      run = std::min(run, averaged.next(k) - k);
      engine.iterate(step.algorithm, run);
      k += run;
      left -= run;
      if (task.record_every > 0 && k % task.record_every == 0) {
        engine.record(k / task.record_every - 1);
      }
      const int64_t update = task.update_after(k);
      if (update >= 0) {
        engine.update_support(support_update(task.shrinkwrap, update, updates, pixels));
      }
      if (averaged.has(k)) {
        engine.add_iterate(k == averaged.first());
        if (k == averaged.last) {
          engine.take_mean(1.0 / static_cast<double>(averaged.count));
          engine.update_support(support_of_mean(task.shrinkwrap, pixels));
        }
      }
      if (task.monitor != nullptr) task.monitor->advance(run * images);
    }
  }
  return true;
}

}  // namespace symbreak
