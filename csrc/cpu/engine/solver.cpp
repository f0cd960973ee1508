// The schedule loop: sweeps with a wait between them, support updates and errors where due.
#include "cpu/engine/solver.h"

#include <algorithm>
#include <cmath>

#include "common/bright.h"
#include "common/phasing_start.h"
#include "cpu/engine/empty_rows.h"
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
bool Solver<T>::wait_and_agree() {
  // Two in turn: the leader may be at the next wait before another member has read this answer.
  bool& stop = workspace_.stop[agreements_++ % 2];
  if (member_.leads()) stop = task_.monitor != nullptr && task_.monitor->stopped();
  member_.wait();
  return stop;
}

template <typename T>
void Solver<T>::transform_planes(Array target, T f) const {
  const int lanes = kernels_.lanes;
  const bool volume = image_.is_volume(), skips = f == T(0);
  for_planes(image_.row_blocks, [&](int, const Image<T>& plane, int begin, int end) {
    T* const to = plane.*target;
    const auto clear = [&](int first, int last) { clear_tiles(plane, to, lanes, first, last); };
    if (skips && !has_support(plane, lanes, begin, end)) return clear(begin, end);
    for_runs(plane, lanes, skips, begin, end, [&](bool inside, int first, int last) {
      if (!inside) return clear(first, last);
      kernels_.forward_rows(plane, to, f, line(), first, last);
    });
    if (volume) kernels_.forward_columns(plane, to, 0, plane.column_blocks);
  });
}

template <typename T>
void Solver<T>::project_outer(T* target) const {
  for_outer(image_.outer_blocks(), [&](int begin, int end) {
    kernels_.project_outer(image_, target, line(), begin, end);
  });
}

template <typename T>
void Solver<T>::update_planes(const Feedback<T>& rule) const {
  const int lanes = kernels_.lanes;
  const bool volume = image_.is_volume(), skips = rule.keep == T(0) && rule.project == T(0);
  for_planes(image_.row_blocks, [&](int, const Image<T>& plane, int begin, int end) {
    const auto clear = [&](int first, int last) {
      clear_tiles(plane, plane.state, lanes, first, last);
      clear_iterate(plane, lanes, first, last);
    };
    if (skips && !has_support(plane, lanes, begin, end)) return clear(begin, end);
    if (volume) kernels_.inverse_columns(plane, plane.state, 0, plane.column_blocks);
    for_runs(plane, lanes, skips, begin, end, [&](bool inside, int first, int last) {
      if (!inside) return clear(first, last);
      kernels_.update_rows(plane, rule, line(), first, last);
    });
    if (volume) kernels_.forward_columns(plane, plane.state, 0, plane.column_blocks);
  });
}

template <typename T>
bool Solver<T>::iterate(Algorithm algorithm) {
  const bool volume = image_.is_volume(), difference = algorithm == Algorithm::kDM;
  const T beta = T(task_.beta);
  if (difference) {
    transform_planes(&Image<T>::second, 1 / beta);
    member_.wait();
    project_outer(image_.second);
  }
  project_outer(image_.state);
  if (wait_and_agree()) return true;  // the iterate is still that of the last iteration
  if (difference) {
    for_planes(image_.row_blocks, [&](int, const Image<T>& plane, int begin, int end) {
      const int blocks = plane.column_blocks;
      if (volume) kernels_.inverse_columns(plane, plane.state, 0, blocks);
      if (volume) kernels_.inverse_columns(plane, plane.second, 0, blocks);
      kernels_.difference_rows(plane, beta, line(), begin, end);
      if (volume) kernels_.forward_columns(plane, plane.state, 0, blocks);
    });
  } else {
    update_planes(feedback<T>(algorithm, task_.beta));
  }
  if (member_.leads() && task_.monitor != nullptr) task_.monitor->advance(1);
  return wait_and_agree();
}

template <typename T>
double Solver<T>::error() {
  const int blocks = image_.outer_blocks();
  transform_planes(&Image<T>::second, T(0));
  member_.wait();
  for_outer(blocks,
            [&](int begin, int end) { kernels_.residual_outer(image_, line(), begin, end); });
  member_.wait();
  return std::sqrt(sum(image_.partial, blocks) / measured_power_);
}

// The value of rank `kept` in `second`; every member counts its share and finds the same.
template <typename T>
T Solver<T>::area_threshold(int64_t kept) const {
  RankSearch<T> search(kept);
  int64_t* own = workspace_.histogram(member_.rank);
  const int lanes = kernels_.lanes;
  while (!search.finished()) {
    std::fill_n(own, RankSearch<T>::kBins, 0);
    for_planes(image_.column_blocks, [&](int, const Image<T>& plane, int begin, int end) {
      for (int block = begin; block < end; ++block) {
        const T* values = plane.second + block * plane.real_stride;
        const int width = std::min(lanes, plane.columns - block * lanes);
        if (width == lanes) {
          search.count(values, int64_t{plane.rows} * lanes, own);
        } else {
          for (int row = 0; row < plane.rows; ++row) search.count(values + row * lanes, width, own);
        }
      }
    });
    member_.wait();
    search.narrow(workspace_.histogram(0), member_.size);
    member_.wait();
  }
  return search.value();
}

// "Above the threshold" as "at least the next number above it", which is what the kernel tests.
template <typename T>
T Solver<T>::relative_threshold(const SupportUpdate& update) const {
  double largest = image_.partial[0];
  for (int pair = 1; pair < (image_.outer_blocks() + 1) / 2; ++pair) {
    if (!(image_.partial[pair] <= largest)) largest = image_.partial[pair];
  }
  double power = 0, count = 0;
  for (int i = 0; i < image_.planes * image_.row_blocks && update.of_rms; ++i) {
    power += workspace_.inside()[2 * i];
    count += workspace_.inside()[2 * i + 1];
  }
  const double reference =
      bright_reference(largest, update.of_rms ? root_mean_square(power, count) : INFINITY);
  return std::nextafter(T(update.threshold) * T(reference), T(INFINITY));
}

template <typename T>
bool Solver<T>::update_support(const SupportUpdate& update) {
  const bool volume = image_.is_volume();
  T* const along_stack = workspace_.transfer(0);
  T* const along_columns = workspace_.transfer(1);
  T* const along_rows = workspace_.transfer(2);
  if (member_.leads()) {
    if (volume) gaussian_transfer(*axes_.stack, update.sigma, along_stack);
    gaussian_transfer(axes_.columns, update.sigma, along_columns);
    gaussian_transfer(axes_.rows, update.sigma, along_rows);
  }
  member_.wait();
  if (update.of_rms) {
    const int blocks = image_.row_blocks;
    for_planes(blocks, [&](int z, const Image<T>& plane, int begin, int end) {
      double* const sums = workspace_.inside() + 2 * int64_t{z} * blocks;
      inside_of_rows(plane, kernels_.lanes, sums, begin, end);
    });
  }
  const auto pairs = [](int blocks) { return (blocks + 1) / 2; };
  for_planes(pairs(image_.row_blocks), [&](int, const Image<T>& plane, int begin, int end) {
    kernels_.blur_rows(plane, along_rows, line(), begin, end);
    if (volume) {
      kernels_.blur_columns(plane, along_columns, line(), 0, pairs(plane.column_blocks));
    }
  });
  if (wait_and_agree()) return true;
  const auto blur_outer = volume ? kernels_.blur_stack : kernels_.blur_columns;
  for_outer(pairs(image_.outer_blocks()), [&](int begin, int end) {
    blur_outer(image_, volume ? along_stack : along_columns, line(), begin, end);
  });
  if (wait_and_agree()) return true;
  const T threshold = update.kept > 0 ? area_threshold(update.kept) : relative_threshold(update);
  for_planes(image_.row_blocks, [&](int, const Image<T>& plane, int begin, int end) {
    kernels_.threshold_rows(plane, threshold, begin, end);
  });
  return wait_and_agree();
}

template <typename T>
void Solver<T>::add_iterate(bool first) const {
  for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    add_rows(plane, kernels_.lanes, workspace_.sum() + 2 * z * plane.plane_pixels, first, begin,
             end);
  });
}

template <typename T>
bool Solver<T>::go_on_from_mean(T share) {
  for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    mean_rows(plane, kernels_.lanes, workspace_.sum() + 2 * z * plane.plane_pixels, share, begin,
              end);
  });
  transform_planes(&Image<T>::state, T(1));
  if (wait_and_agree()) return true;
  return update_support(support_of_mean(task_.shrinkwrap, task_.grid.pixels()));
}

template <typename T>
void Solver<T>::store(int64_t index, T scale) const {
  const int64_t pixels = task_.grid.pixels(), plane_pixels = pixels / image_.planes;
  T* object = task_.object + index * 2 * pixels;
  uint8_t* support = task_.support + index * pixels;
  for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    export_rows(plane, kernels_.lanes, object + 2 * z * plane_pixels, support + z * plane_pixels,
                scale, line(), begin, end);
  });
  member_.wait();
}

template <typename T>
bool Solver<T>::walk_schedule(int64_t index) {
  const int64_t updates = task_.updates(), records = task_.records();
  const int64_t total = total_iterations(task_.schedule), pixels = task_.grid.pixels();
  const AveragedIterates averaged = task_.averaged();
  int64_t k = 0;
  for (const Step& step : task_.schedule) {
    for (int64_t i = 0; i < step.count; ++i) {
      if (iterate(step.algorithm)) return true;
      ++k;
      const bool corrected = task_.corrected_after(k);
      if (!corrected && task_.record_every > 0 && k % task_.record_every == 0) {
        const double value = error();
        if (member_.leads()) {
          task_.history[index * records + k / task_.record_every - 1] = T(value);
        }
      }
      const int64_t update = task_.update_after(k);
      if (update >= 0 &&
          update_support(support_update(task_.shrinkwrap, update, updates, pixels))) {
        return true;
      }
      if (corrected && k < total) {
        double value = 0;
        if (correct(index, false, value)) return true;
        if (member_.leads()) {
          task_.history[index * records + k / task_.record_every - 1] = T(value);
        }
      }
      if (averaged.has(k)) {
        add_iterate(k == averaged.first());
        if (k == averaged.last && go_on_from_mean(T(1.0 / double(averaged.count)))) return true;
      }
    }
  }
  return false;
}

template <typename T>
bool Solver<T>::finish(int64_t index) {
  double value = 0;
  if (task_.blur == nullptr) {
    value = error();
  } else if (correct(index, true, value)) {
    return true;
  }
  if (!member_.leads()) return false;
  task_.error[index] = T(value);
  const int64_t total = total_iterations(task_.schedule), records = task_.records();
  if (task_.corrected_after(total)) task_.history[(index + 1) * records - 1] = T(value);
  return false;
}

template <typename T>
bool Solver<T>::run(int64_t index) {
  if (!image_.is_rounded()) image_.iterate = task_.object + index * 2 * task_.grid.pixels();
  const T scale = amplitude_scale(task_.amplitude + index / task_.starts * task_.grid.pixels(),
                                  task_.grid.pixels());
  scale_ = scale;
  if (load(index, scale)) return false;
  if (!walk_schedule(index)) finish(index);
  store(index, scale);
  return true;
}

template class Solver<float>;
template class Solver<double>;

}  // namespace symbreak
