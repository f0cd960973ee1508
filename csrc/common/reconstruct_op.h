// The host side of reconstruct that all machines share: argument checks, results, the task.
#pragma once

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/phasing.h"
#include "common/stable.h"

namespace symbreak {

// What the iteration begins with, beside the amplitude; null pointers where not given.
struct PhasingStart {
  const bool* valid = nullptr;      // [items, *grid]
  const bool* saturated = nullptr;  // [items, *grid], whatever `valid` says
  const bool* support = nullptr;    // [items, starts, *grid]
  const void* initial = nullptr;    // [items, starts, *grid] complex
  const int64_t* seed = nullptr;    // [items]
  int64_t first_start = 0;          // number of the first start: random phases are counted by it
  std::vector<Tensor> held = {};    // what the pointers lead to: the arguments, copied where needed

  int64_t seed_of(int64_t item) const { return seed == nullptr ? 0 : seed[item]; }

  // Nothing of it is needed any more: copies end before the iteration takes its memory.
  void release() { *this = {}; }
};

inline bool same_device(const Tensor& x, const Tensor& y) {
  return x.is_cpu() == y.is_cpu() && x.get_device_index() == y.get_device_index();
}

// The contiguous data of a tensor like the amplitude's, of the given shape and type, or null; what
// is checked here protects memory.
inline const void* phasing_argument(const Tensor& amplitude, const char* name,
                                    const std::optional<Tensor>& x,
                                    const std::vector<int64_t>& shape, ScalarType type,
                                    std::vector<Tensor>& held) {
  if (!x.has_value()) return nullptr;
  STD_TORCH_CHECK(same_device(*x, amplitude) && shape_of(*x) == shape && x->scalar_type() == type,
                  "reconstruct: ", name, " has the wrong device, shape or type.");
  held.push_back(torch::stable::contiguous(*x));
  return held.back().const_data_ptr();
}

inline ShrinkwrapRule shrinkwrap_rule(int64_t every, double sigma, double sigma_min, double decay,
                                      double threshold,
                                      const std::optional<std::vector<double>>& area, int64_t hold,
                                      bool of_rms, int64_t average) {
  ShrinkwrapRule rule{every, sigma, sigma_min, decay, threshold, of_rms && !area.has_value()};
  rule.hold = hold;
  rule.average = average;
  if (area.has_value()) {
    STD_TORCH_CHECK(area->size() == 2 && (*area)[0] >= 0 && (*area)[1] >= 0,
                    "reconstruct: shrinkwrap_area must be two fractions, from and to.");
    rule.area_start = (*area)[0];
    rule.area_end = (*area)[1];
  }
  return rule;
}

// Machine does the work on its tensors:
//   Guard(amplitude)                              makes its device the current one
//   phase<T>(task, start, amplitude, marked)      fills the task's results, may release the start;
//   `task` holds everything
//                                                 but the marked amplitude, [items, *grid], for
//                                                 which there is room
// `blur` only where the machine knows what to do with it.
template <typename Machine>
std::tuple<Tensor, Tensor, Tensor, Tensor> phase_by_schedule(
    const Tensor& amplitude, const std::string& schedule, const std::optional<Tensor>& valid,
    const std::optional<Tensor>& support, const std::optional<Tensor>& initial,
    const std::optional<Tensor>& seed, const std::optional<Tensor>& saturated, double beta,
    int64_t every, double sigma, double sigma_min, double decay, double threshold,
    const std::optional<std::vector<double>>& area, int64_t hold, bool of_rms, int64_t starts,
    int64_t first_start, int64_t before, int64_t after, int64_t ndim, int64_t record_every,
    double phase_limit, int64_t average, int64_t monitor, const BlurRule* blur) {
  const typename Machine::Guard guard(amplitude);
  const ScalarType type = amplitude.scalar_type();
  STD_TORCH_CHECK(type == ScalarType::Float || type == ScalarType::Double,
                  "reconstruct: amplitude must be float32 or float64.");
  STD_TORCH_CHECK(starts >= 1 && first_start >= 0 && record_every >= 0 && every >= 0 && hold >= 0,
                  "reconstruct: starts must be at least 1, first_start, record_every, "
                  "shrinkwrap_every and shrinkwrap_hold 0.");
  STD_TORCH_CHECK(phase_limit >= 0, "reconstruct: phase_limit must not be negative.");
  constexpr int64_t kMost = int64_t{1} << 60;  // their sum is a number too
  STD_TORCH_CHECK(before >= 0 && before <= kMost && after >= 0 && after <= kMost,
                  "reconstruct: before and after must be from 0 to 2^60.");
  const auto batch = batch_shape(amplitude, ndim), full = shape_of(amplitude);
  const auto images = appended(batch, starts);
  auto stacked = images;  // [*batch, starts, *grid]
  stacked.insert(stacked.end(), full.end() - ndim, full.end());

  const auto watcher = Monitor::find(monitor);
  const Schedule steps = parse_schedule(schedule);
  const int64_t total = total_iterations(steps),
                records = record_every > 0 ? total / record_every : 0;
  STD_TORCH_CHECK(average >= 0 && (average == 0 || (before == 0 && after == 0 && hold >= 1 &&
                                                    hold <= total && average <= total - hold)),
                  "reconstruct: shrinkwrap_average must not be negative, and goes with a whole "
                  "schedule that holds it and a shrinkwrap_hold of at least 1.");
  const Tensor a = torch::stable::contiguous(amplitude);
  const auto compute = [&]<typename T>() -> std::tuple<Tensor, Tensor, Tensor, Tensor> {
    PhasingStart start;
    start.first_start = first_start;
    const auto given = [&](const char* name, const auto& x, const auto& shape, ScalarType kind) {
      return phasing_argument(a, name, x, shape, kind, start.held);
    };
    start.valid = static_cast<const bool*>(given("valid", valid, full, ScalarType::Bool));
    start.saturated =
        static_cast<const bool*>(given("saturated", saturated, full, ScalarType::Bool));
    start.support = static_cast<const bool*>(given("support", support, stacked, ScalarType::Bool));
    start.initial = given("initial", initial, stacked, kComplexType<T>);
    start.seed = static_cast<const int64_t*>(given("seed", seed, batch, ScalarType::Long));
    Tensor object = torch::stable::new_empty(a, stacked, kComplexType<T>);
    Tensor last_support = torch::stable::new_empty(a, stacked, ScalarType::Bool);
    Tensor error = torch::stable::new_empty(a, images);
    Tensor history = torch::stable::new_empty(a, appended(images, records));
    Tensor marked = torch::stable::new_empty(a, full);
    const ShrinkwrapRule rule =
        shrinkwrap_rule(every, sigma, sigma_min, decay, threshold, area, hold, of_rms, average);
    PhasingTask<T> task{make_grid(full, ndim),
                        product(batch),
                        starts,
                        steps,
                        beta,
                        rule,
                        record_every,
                        nullptr,
                        mutable_real_data<T>(object),
                        static_cast<uint8_t*>(last_support.mutable_data_ptr()),
                        mutable_real_data<T>(error),
                        mutable_real_data<T>(history),
                        watcher.get(),
                        before,
                        after,
                        blur,
                        phase_limit};
    if (object.numel() > 0) {
      Machine::template phase<T>(task, start, a, mutable_real_data<T>(marked));
    }
    return {object, last_support, error, history};
  };
  return type == ScalarType::Double ? compute.template operator()<double>()
                                    : compute.template operator()<float>();
}

template <typename Machine>
std::tuple<Tensor, Tensor, Tensor, Tensor> reconstruct(
    const Tensor& amplitude, const std::string& schedule, const std::optional<Tensor>& valid,
    const std::optional<Tensor>& support, const std::optional<Tensor>& initial,
    const std::optional<Tensor>& seed, const std::optional<Tensor>& saturated, double beta,
    int64_t every, double sigma, double sigma_min, double decay, double threshold,
    const std::optional<std::vector<double>>& area, int64_t hold, bool of_rms, int64_t starts,
    int64_t first_start, int64_t before, int64_t after, int64_t ndim, int64_t record_every,
    double phase_limit, int64_t average, int64_t monitor) {
  return phase_by_schedule<Machine>(amplitude, schedule, valid, support, initial, seed, saturated,
                                    beta, every, sigma, sigma_min, decay, threshold, area, hold,
                                    of_rms, starts, first_start, before, after, ndim, record_every,
                                    phase_limit, average, monitor, nullptr);
}

// variances: [*batch, starts, ndim] double; dark: [*batch] double, or none where they are known.
// Returns also the variances that were found.
template <typename Machine>
std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> reconstruct_blurred(
    const Tensor& amplitude, const Tensor& variances, const std::optional<Tensor>& dark,
    const std::string& schedule, const std::optional<Tensor>& valid,
    const std::optional<Tensor>& support, const std::optional<Tensor>& initial,
    const std::optional<Tensor>& seed, int64_t first, int64_t corrected_every, double beta,
    int64_t every, double sigma, double sigma_min, double decay, double threshold,
    const std::optional<std::vector<double>>& area, int64_t hold, bool of_rms, int64_t starts,
    int64_t first_start, int64_t ndim, double phase_limit, int64_t monitor) {
  STD_TORCH_CHECK(corrected_every >= 1 && first >= 1 && first % corrected_every == 0,
                  "reconstruct_blurred: every must be at least 1, and first a multiple of it.");
  STD_TORCH_CHECK(starts >= 1, "reconstruct_blurred: starts must be at least 1.");
  const auto batch = batch_shape(amplitude, ndim);
  std::vector<Tensor> held;
  const auto given = [&](const char* name, const std::optional<Tensor>& x, const auto& shape) {
    return phasing_argument(amplitude, name, x, shape, ScalarType::Double, held);
  };
  given("variances", variances, appended(appended(batch, starts), ndim));
  Tensor refined = torch::stable::clone(held.back());
  BlurRule blur{first, corrected_every, static_cast<double*>(refined.mutable_data_ptr()),
                static_cast<const double*>(given("dark", dark, batch))};
  auto [object, last_support, error, history] = phase_by_schedule<Machine>(
      amplitude, schedule, valid, support, initial, seed, std::nullopt, beta, every, sigma,
      sigma_min, decay, threshold, area, hold, of_rms, starts, first_start, 0, 0, ndim,
      corrected_every, phase_limit, 0, monitor, &blur);
  return {object, last_support, error, history, refined};
}

}  // namespace symbreak
