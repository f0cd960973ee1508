// Which engine takes a reconstruction on a GPU, and how many images at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "common/stable.h"
#include "cuda/phasing_two_pass.h"

namespace symbreak {

enum class PhasingEngine { kGeneral, kTwoPass };

struct PhasingChoice {
  PhasingEngine engine;
  int64_t images;  // that are taken through the whole schedule together
};

// Images whose arrays stay in the L2 cache from one kernel to the next: x, two states (or spectrum
// and projection), amplitude and support.
template <typename T>
int64_t images_in_cache(int64_t pixels) {
  constexpr int64_t kCacheBytes = int64_t{40} << 20;
  const int64_t bytes = pixels * (7 * int64_t{sizeof(T)} + 1);
  return std::max<int64_t>(1, kCacheBytes / bytes);
}

template <typename T>
PhasingChoice choose_engine(const PhasingTask<T>& task) {
  const bool two_pass = TwoPassEngine<T>::supports(task.grid);
  PhasingEngine engine = two_pass ? PhasingEngine::kTwoPass : PhasingEngine::kGeneral;
  if (const char* text = std::getenv("SYMBREAK_CUDA_ENGINE")) {
    const std::string name = text;
    if (name == "general") {
      engine = PhasingEngine::kGeneral;
    } else if (name == "two_pass") {
      STD_TORCH_CHECK(two_pass, "reconstruct: the two-pass engine has no kernels for this grid.");
    } else {
      STD_TORCH_CHECK(false, "SYMBREAK_CUDA_ENGINE must be general or two_pass, got '", name, "'.");
    }
  }
  return {engine, std::min(task.images(), images_in_cache<T>(task.grid.pixels()))};
}

}  // namespace symbreak
