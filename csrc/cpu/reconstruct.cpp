// reconstruct: phase retrieval from random or given starts, on the engine that suits the grid.
#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/phasing.h"
#include "common/stable.h"
#include "cpu/engine.h"
#include "cpu/phasing_general.h"
#include "cpu/phasing_start.h"

namespace symbreak {
namespace {

// The arguments of the op beside the amplitude; null pointers where not given.
struct Options {
  const bool* valid = nullptr;    // [items, *grid]
  const bool* support = nullptr;  // [items, starts, *grid]
  const void* initial = nullptr;  // [items, starts, *grid] complex
  const int64_t* seed = nullptr;  // [items]
};

// SYMBREAK_CPU_ENGINE=general takes the general engine for every grid, to check the other by it.
bool general_is_forced() {
  const char* name = std::getenv("SYMBREAK_CPU_ENGINE");
  return name != nullptr && std::string(name) == "general";
}

template <typename T>
void run(const PhasingTask<T>& task) {
  if (engine_supports(task.grid) && !general_is_forced()) {
    run_engine(task, static_cast<int>(torch::stable::get_num_threads()));
  } else {
    run_general(task);
  }
}

template <typename T>
void first_support(const PhasingTask<T>& task, const bool* given) {
  const int64_t pixels = task.grid.pixels();
  if (given != nullptr) {
    std::copy_n(given, task.images() * pixels, task.support);
    return;
  }
  for_images(task.items, [&](int64_t item) {
    uint8_t* support = task.support + item * task.starts * pixels;
    autocorrelation_support(task.grid, task.amplitude + item * pixels, support);
    for (int64_t s = 1; s < task.starts; ++s) std::copy_n(support, pixels, support + s * pixels);
  });
}

template <typename T>
void first_iterate(const PhasingTask<T>& task, const Options& options, const T* factor) {
  const int64_t pixels = task.grid.pixels();
  const T* initial = static_cast<const T*>(options.initial);
  for_images(task.images(), [&](int64_t image) {
    const int64_t item = image / task.starts, start = image % task.starts;
    T* x = task.object + 2 * pixels * image;
    if (initial != nullptr) {
      scale(initial + 2 * pixels * image, factor[item], x, pixels);
    } else {
      const int64_t seed = options.seed != nullptr ? options.seed[item] : 0;
      random_start(task.grid, task.amplitude + pixels * item, seed, start, x);
    }
  });
}

// Fills in amplitude, starts and supports, in range; `marked` is room for the amplitude, [items,
// *grid]. Returns by how much each item was scaled.
template <typename T>
std::vector<T> prepare(PhasingTask<T>& task, const Options& options, const T* amplitude,
                       T* marked) {
  const int64_t pixels = task.grid.pixels();
  std::vector<T> factor(task.items);
  for_images(task.items, [&](int64_t item) {
    const T* a = amplitude + item * pixels;
    const bool* valid = options.valid == nullptr ? nullptr : options.valid + item * pixels;
    factor[item] = range_factor(a, valid, pixels);
    mark_measured(a, valid, factor[item], marked + item * pixels, pixels);
  });
  task.amplitude = marked;
  std::fill_n(task.error, task.images(), std::numeric_limits<T>::quiet_NaN());
  std::fill_n(task.history, task.images() * task.records(), std::numeric_limits<T>::quiet_NaN());
  first_support(task, options.support);
  first_iterate(task, options, factor.data());
  return factor;
}

template <typename T>
void phase(const PhasingTask<T>& task, const std::vector<T>& factor) {
  run(task);
  const int64_t pixels = task.grid.pixels();
  for_images(task.images(), [&](int64_t image) {
    T* x = task.object + 2 * pixels * image;
    scale(x, 1 / factor[image / task.starts], x, pixels);
  });
}

// A contiguous tensor of the given shape and type, or none; what is checked here protects memory.
std::optional<Tensor> argument(const char* name, const std::optional<Tensor>& x,
                               const std::vector<int64_t>& shape, ScalarType type) {
  if (!x.has_value()) return std::nullopt;
  STD_TORCH_CHECK(x->is_cpu() && shape_of(*x) == shape && x->scalar_type() == type,
                  "reconstruct: ", name, " has the wrong device, shape or type.");
  return torch::stable::contiguous(*x);
}

ShrinkwrapRule shrinkwrap_rule(int64_t every, double sigma, double sigma_min, double decay,
                               double threshold, const std::optional<std::vector<double>>& area) {
  ShrinkwrapRule rule{every, sigma, sigma_min, decay, threshold};
  if (area.has_value()) {
    STD_TORCH_CHECK(area->size() == 2 && (*area)[0] >= 0 && (*area)[1] >= 0,
                    "reconstruct: shrinkwrap_area must be two fractions, from and to.");
    rule.area_start = (*area)[0];
    rule.area_end = (*area)[1];
  }
  return rule;
}

std::tuple<Tensor, Tensor, Tensor, Tensor> reconstruct_cpu(
    const Tensor& amplitude, const std::string& schedule, const std::optional<Tensor>& valid,
    const std::optional<Tensor>& support, const std::optional<Tensor>& initial,
    const std::optional<Tensor>& seed, double beta, int64_t every, double sigma, double sigma_min,
    double decay, double threshold, const std::optional<std::vector<double>>& area, int64_t starts,
    int64_t ndim, int64_t record_every, int64_t monitor) {
  const ScalarType type = amplitude.scalar_type();
  STD_TORCH_CHECK(type == ScalarType::Float || type == ScalarType::Double,
                  "reconstruct: amplitude must be float32 or float64.");
  STD_TORCH_CHECK(starts >= 1 && record_every >= 0 && every >= 0,
                  "reconstruct: starts must be at least 1, record_every and shrinkwrap_every 0.");
  const auto batch = batch_shape(amplitude, ndim), full = shape_of(amplitude);
  const auto images = appended(batch, starts);
  auto stacked = images;  // [*batch, starts, *grid]
  stacked.insert(stacked.end(), full.end() - ndim, full.end());

  const auto watcher = Monitor::find(monitor);
  const Schedule steps = parse_schedule(schedule);
  const int64_t records = record_every > 0 ? total_iterations(steps) / record_every : 0;
  const Tensor a = torch::stable::contiguous(amplitude);
  const auto compute = [&]<typename T>() -> std::tuple<Tensor, Tensor, Tensor, Tensor> {
    Tensor object = torch::stable::new_empty(a, stacked, kComplexType<T>);
    Tensor last_support = torch::stable::new_empty(a, stacked, ScalarType::Bool);
    Tensor error = torch::stable::new_empty(a, images);
    Tensor history = torch::stable::new_empty(a, appended(images, records));
    Tensor marked = torch::stable::new_empty(a, full);
    const ShrinkwrapRule rule = shrinkwrap_rule(every, sigma, sigma_min, decay, threshold, area);
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
                        watcher.get()};
    std::vector<T> factor;
    {  // copies of the arguments, where some are made, end before the iteration takes its memory
      const auto valid_ = argument("valid", valid, full, ScalarType::Bool);
      const auto support_ = argument("support", support, stacked, ScalarType::Bool);
      const auto initial_ = argument("initial", initial, stacked, kComplexType<T>);
      const auto seed_ = argument("seed", seed, batch, ScalarType::Long);
      Options options;
      if (valid_) options.valid = valid_->const_data_ptr<bool>();
      if (support_) options.support = support_->const_data_ptr<bool>();
      if (initial_) options.initial = initial_->const_data_ptr();
      if (seed_) options.seed = seed_->const_data_ptr<int64_t>();
      if (object.numel() > 0) {
        factor = prepare<T>(task, options, real_data<T>(a), mutable_real_data<T>(marked));
      }
    }
    if (object.numel() > 0) phase<T>(task, factor);
    return {object, last_support, error, history};
  };
  return type == ScalarType::Double ? compute.template operator()<double>()
                                    : compute.template operator()<float>();
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("reconstruct", TORCH_BOX(&symbreak::reconstruct_cpu));
}
