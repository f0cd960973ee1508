// Which engine takes a reconstruction on a GPU, and how many images at once: asked for by the
// environment, else as engine_choice.h decides.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "common/stable.h"
#include "cuda/engine_choice.h"
#include "cuda/fourier.h"
#include "cuda/phasing_on_chip.h"

namespace symbreak {

template <typename T>
PhasingProblem problem_of(const PhasingTask<T>& task, const DeviceProperties& device) {
  PhasingProblem problem{8 * int{sizeof(T)},
                         task.grid.size[1],
                         task.grid.size[2],
                         task.grid.pixels(),
                         task.images(),
                         TwoPassEngine<T>::supports(task.grid, device.shared_bytes),
                         false};
  if constexpr (std::is_same_v<T, float>) problem.on_chip = OnChipEngine::supports(task, device);
  if (problem.on_chip) {
    problem.on_chip_wave = on_chip_wave(problem.columns, device);
  }
  problem.per_plan = images_per_plan(problem.pixels);
  return problem;
}

inline PhasingEngine engine_named(const std::string& name, const PhasingProblem& problem) {
  if (name == "general") return PhasingEngine::kGeneral;
  STD_TORCH_CHECK(name == "two_pass" || name == "on_chip",
                  "SYMBREAK_CUDA_ENGINE must be general, two_pass or on_chip, got '", name, "'.");
  const PhasingEngine engine =
      name == "two_pass" ? PhasingEngine::kTwoPass : PhasingEngine::kOnChip;
  STD_TORCH_CHECK(problem.can(engine), "SYMBREAK_CUDA_ENGINE: the engine ", name,
                  " does not take this grid, this type, a limit of the phase or this device.");
  return engine;
}

// For tests and measurements SYMBREAK_CUDA_ENGINE names the engine to take, and
// SYMBREAK_CUDA_IMAGES how many images at once.
template <typename T>
PhasingChoice choose_engine(const PhasingTask<T>& task) {
  const DeviceProperties device = device_properties();
  const PhasingProblem problem = problem_of(task, device);
  const char* const name = std::getenv("SYMBREAK_CUDA_ENGINE");
  const char* const images = std::getenv("SYMBREAK_CUDA_IMAGES");
  PhasingEngine forced{};
  if (name != nullptr) forced = engine_named(name, problem);
  const int64_t at_once = images == nullptr ? 0 : std::max<int64_t>(0, std::atoll(images));
  return choose(kCrossovers, problem, device.capability, name == nullptr ? nullptr : &forced,
                at_once);
}

}  // namespace symbreak
