// Which engine takes a reconstruction on a GPU, and how many images at once: the only place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>

#include "common/stable.h"
#include "cuda/phasing_on_chip.h"

namespace symbreak {

enum class PhasingEngine { kGeneral, kTwoPass, kOnChip };

struct PhasingChoice {
  PhasingEngine engine;
  int64_t images;  // that are taken through the whole schedule together
};

// From how many images on the on-chip engine is the faster one. An iteration of it takes about as
// long for one image as for one on each multiprocessor, while the two-pass engine's time grows with
// the images from its two launches on.
//
// These numbers come from a cost model (instructions and bytes counted), not from measurements: no
// row has been measured on a device yet.
struct OnChipCrossover {
  int size;
  int capability;  // of the device, 10 major + minor
  int64_t images;
};
inline constexpr OnChipCrossover kOnChipFrom[] = {
    {64, 80, 96},  {64, 90, 128}, {64, 100, 128},  // four blocks a multiprocessor
    {128, 80, 32}, {128, 90, 48}, {128, 100, 48},
};
// Not in the table: 86, 89 and 120, whose shared memory holds one image of 64 a multiprocessor.

inline bool on_chip_is_faster(int64_t size, int capability, int64_t images) {
  for (const OnChipCrossover& row : kOnChipFrom) {
    if (row.size == size && row.capability == capability) return images >= row.images;
  }
  return false;
}

// Images whose arrays stay in the L2 cache from one kernel to the next: x, two states (or spectrum
// and projection), amplitude and support.
template <typename T>
int64_t images_in_cache(int64_t pixels) {
  constexpr int64_t kCacheBytes = int64_t{40} << 20;
  const int64_t bytes = pixels * (7 * int64_t{sizeof(T)} + 1);
  return std::max<int64_t>(1, kCacheBytes / bytes);
}

// Whole waves of blocks, with at most 512 MB of scratch.
inline int64_t images_on_chip(int64_t size, const DeviceProperties& device) {
  constexpr int64_t kScratchBytes = int64_t{512} << 20, kBytesPerPixel = 16;
  const int64_t wave = int64_t{device.multiprocessors} * on_chip_blocks(size);
  return std::max<int64_t>(1, kScratchBytes / (size * size * kBytesPerPixel) / wave) * wave;
}

// SYMBREAK_CUDA_ENGINE names the engine to take, for tests and measurements; null: the faster one.
template <typename T>
PhasingEngine choose_engine(const PhasingTask<T>& task, const DeviceProperties& device,
                            const char* forced) {
  const bool two_pass = TwoPassEngine<T>::supports(task.grid);
  const bool on_chip = std::is_same_v<T, float> && OnChipEngine::supports(task.grid);
  if (forced == nullptr) {
    if (on_chip && on_chip_is_faster(task.grid.size[2], device.capability, task.images())) {
      return PhasingEngine::kOnChip;
    }
    return two_pass ? PhasingEngine::kTwoPass : PhasingEngine::kGeneral;
  }
  const std::string name = forced;
  if (name == "general") return PhasingEngine::kGeneral;
  STD_TORCH_CHECK(name == "two_pass" || name == "on_chip",
                  "SYMBREAK_CUDA_ENGINE must be general, two_pass or on_chip, got '", name, "'.");
  STD_TORCH_CHECK(name == "two_pass" ? two_pass : on_chip, "SYMBREAK_CUDA_ENGINE: the engine ",
                  name, " does not take this grid, this type or this device.");
  return name == "two_pass" ? PhasingEngine::kTwoPass : PhasingEngine::kOnChip;
}

template <typename T>
PhasingChoice choose_engine(const PhasingTask<T>& task) {
  const DeviceProperties device = device_properties();
  const PhasingEngine engine = choose_engine(task, device, std::getenv("SYMBREAK_CUDA_ENGINE"));
  const int64_t most = engine == PhasingEngine::kOnChip ? images_on_chip(task.grid.size[2], device)
                                                        : images_in_cache<T>(task.grid.pixels());
  return {engine, std::min(task.images(), most)};
}

}  // namespace symbreak
