// Which engine takes a reconstruction on a GPU, and how many images at once.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/phasing.h"

namespace symbreak {

enum class PhasingEngine { kGeneral };

struct PhasingChoice {
  PhasingEngine engine;
  int64_t images;  // that are taken through the whole schedule together
};

// Images whose arrays stay in the L2 cache from one kernel to the next: x, spectrum and projection,
// amplitude and support.
template <typename T>
int64_t images_in_cache(int64_t pixels) {
  constexpr int64_t kCacheBytes = int64_t{40} << 20;
  const int64_t bytes = pixels * (7 * int64_t{sizeof(T)} + 1);
  return std::max<int64_t>(1, kCacheBytes / bytes);
}

template <typename T>
PhasingChoice choose_engine(const PhasingTask<T>& task) {
  return {PhasingEngine::kGeneral, std::min(task.images(), images_in_cache<T>(task.grid.pixels()))};
}

}  // namespace symbreak
