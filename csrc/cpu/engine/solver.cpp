// The schedule loop: sweeps with a wait between them, support updates and errors where due.
#include "cpu/engine/solver.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "common/phasing_start.h"
#include "cpu/engine/layout.h"
#include "cpu/engine/rank.h"

namespace symbreak {
namespace {

double sum(const double* values, int count) {
  double total = 0;
  for (int i = 0; i < count; ++i) total += values[i];
  return total;
}

// exp(-2 pi^2 sigma^2 f^2) over the positions of one axis, with the normalisation of the inverse.
template <typename T>
void gaussian_transfer(const OwnedPlan<T>& plan, double sigma, T* transfer) {
  const int length = plan.plan().length;
  for (int position = 0; position < length; ++position) {
    const double factor = symbreak::gaussian_transfer(plan.frequency()[position], length, sigma);
    transfer[position] = T(factor / length);
  }
}

}  // namespace

template <typename T>
void Solver<T>::forward_rows(T* target, T outside_gain) const {
  kernels_.forward_rows(image_, target, outside_gain, line(), member_.begin(row_blocks_),
                        member_.end(row_blocks_));
}

template <typename T>
void Solver<T>::project_columns(T* target) const {
  kernels_.project_columns(image_, target, member_.begin(column_blocks_),
                           member_.end(column_blocks_));
}

template <typename T>
void Solver<T>::iterate(Algorithm algorithm) {
  const int begin = member_.begin(row_blocks_), end = member_.end(row_blocks_);
  const T beta = T(task_.beta);
  if (algorithm == Algorithm::kDM) {
    forward_rows(image_.second, 1 / beta);
    member_.wait();
    project_columns(image_.second);
  }
  project_columns(image_.state);
  member_.wait();
  // Written between the two waits and read after them: every member sees the same answer.
  if (member_.leads() && task_.monitor) {
    task_.monitor->advance(1);
    workspace_.stop = task_.monitor->stopped();
  }
  if (algorithm == Algorithm::kDM) {
    kernels_.difference_rows(image_, beta, line(), begin, end);
  } else {
    const Feedback rule = feedback(algorithm, task_.beta);
    kernels_.update_rows(image_, T(rule.keep), T(rule.project), line(), begin, end);
  }
  member_.wait();
}

template <typename T>
double Solver<T>::error() {
  forward_rows(image_.second, T(0));
  member_.wait();
  kernels_.residual_columns(image_, member_.begin(column_blocks_), member_.end(column_blocks_));
  member_.wait();
  return std::sqrt(sum(image_.partial, column_blocks_) / measured_power_);
}

template <typename T>
T Solver<T>::area_threshold(int64_t kept) const {
  return nth_largest(image_.second, task_.grid.pixels(), kept);
}

// "Above the threshold" as "at least the next number above it", which is what the kernel tests.
template <typename T>
T Solver<T>::relative_threshold() const {
  double largest = image_.partial[0];
  for (int pair = 1; pair < (column_blocks_ + 1) / 2; ++pair) {
    if (!(image_.partial[pair] <= largest)) largest = image_.partial[pair];
  }
  return std::nextafter(T(task_.shrinkwrap.threshold) * T(largest), T(INFINITY));
}

template <typename T>
void Solver<T>::update_support(int64_t update, int64_t updates) {
  const ShrinkwrapRule& rule = task_.shrinkwrap;
  if (member_.leads()) {
    const double sigma = blur_sigma(rule, update);
    gaussian_transfer(along_columns_, sigma, workspace_.transfer(0));
    gaussian_transfer(along_rows_, sigma, workspace_.transfer(1));
  }
  member_.wait();
  const int row_pairs = (row_blocks_ + 1) / 2, column_pairs = (column_blocks_ + 1) / 2;
  kernels_.blur_rows(image_, workspace_.transfer(1), line(), member_.begin(row_pairs),
                     member_.end(row_pairs));
  member_.wait();
  kernels_.blur_columns(image_, workspace_.transfer(0), line(), member_.begin(column_pairs),
                        member_.end(column_pairs));
  member_.wait();
  if (member_.leads()) {
    workspace_.threshold =
        rule.keeps_area() ? area_threshold(kept_pixels(rule, update, updates, task_.grid.pixels()))
                          : relative_threshold();
  }
  member_.wait();
  kernels_.threshold_rows(image_, workspace_.threshold, member_.begin(row_blocks_),
                          member_.end(row_blocks_));
  member_.wait();
}

template <typename T>
void Solver<T>::run(int64_t index) {
  const int64_t pixels = int64_t{image_.rows} * image_.columns;
  const T* amplitude = task_.amplitude + index / task_.starts * pixels;
  T* object = task_.object + index * 2 * pixels;
  uint8_t* support = task_.support + index * pixels;
  const int begin = member_.begin(row_blocks_), end = member_.end(row_blocks_);

  const T scale = amplitude_scale(amplitude, pixels);
  import_rows(image_, kernels_.lanes, object, support, scale, begin, end);
  import_amplitude(image_, kernels_.lanes, amplitude, scale, along_rows_, along_columns_,
                   workspace_.amplitude(), member_.begin(column_blocks_),
                   member_.end(column_blocks_));
  forward_rows(image_.state, T(1));
  member_.wait();
  measured_power_ = sum(image_.partial, column_blocks_);

  const int64_t total = total_iterations(task_.schedule);
  const int64_t updates = support_updates(task_.shrinkwrap, total);
  const int64_t records = task_.records();
  int64_t k = 0, update = 0;
  bool stopped = false;
  for (const Step& step : task_.schedule) {
    for (int64_t i = 0; i < step.count && !stopped; ++i) {
      iterate(step.algorithm);
      ++k;
      stopped = workspace_.stop;
      if (task_.record_every > 0 && k % task_.record_every == 0) {
        const double value = error();
        if (member_.leads()) {
          task_.history[index * records + k / task_.record_every - 1] = T(value);
        }
      }
      if (update < updates && k % task_.shrinkwrap.every == 0) update_support(update++, updates);
    }
  }
  if (!stopped) {
    const double value = error();
    if (member_.leads()) task_.error[index] = T(value);
  }
  export_rows(image_, kernels_.lanes, object, support, scale, begin, end);
  member_.wait();
}

template class Solver<float>;
template class Solver<double>;

}  // namespace symbreak
