// The choice of an engine by numbers alone: by what was measured, else by a cost model. Without
// torch.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "cuda/crossovers.h"
#include "cuda/launch.h"

namespace symbreak {

struct PhasingChoice {
  PhasingEngine engine;
  int64_t images;  // that are taken through the whole schedule together
};

// What there is to choose from, and for what.
struct PhasingProblem {
  int bits;  // of the amplitude
  int64_t rows, columns;
  int64_t pixels, images;
  bool two_pass, on_chip;    // which engines can, beside the general one
  int64_t on_chip_wave = 1;  // images that the on-chip engine works on at once
  int64_t per_plan = 1;      // that the general engine always takes

  bool square() const { return rows == columns && rows * columns == pixels; }
  bool can(PhasingEngine engine) const {
    return engine == PhasingEngine::kGeneral ||
           (engine == PhasingEngine::kTwoPass ? two_pass : on_chip);
  }
};

template <typename Table>
constexpr bool is_in_order(const Table& table) {
  const auto key = [](const Crossover& c) { return std::tuple(c.capability, c.bits, c.size); };
  for (size_t i = 0; i < table.size(); ++i) {
    const bool first = i == 0 || key(table[i - 1]) != key(table[i]);
    if (first && (table[i].images != 1 || (i > 0 && key(table[i]) < key(table[i - 1]))))
      return false;
    if (!first && table[i].images <= table[i - 1].images) return false;
  }
  return true;
}
static_assert(is_in_order(kCrossovers));

// The row that holds, or null where nothing was measured or the engine cannot.
template <typename Table>
const Crossover* find_crossover(const Table& table, const PhasingProblem& problem, int capability) {
  const Crossover* found = nullptr;
  for (const Crossover& row : table) {
    if (row.capability == capability && row.bits == problem.bits && problem.square() &&
        row.size == problem.rows && row.images <= problem.images) {
      found = &row;
    }
  }
  return found != nullptr && problem.can(found->engine) ? found : nullptr;
}

// The model: from how many images on the on-chip engine is the faster one. An iteration of it takes
// about as long for one image as for one on each multiprocessor, while the two-pass engine's time
// grows with the images from its two launches on. Instructions and bytes were counted, nothing was
// measured. Not here: 86, 89 and 120, whose shared memory holds one image of 64 a multiprocessor.
inline bool model_prefers_on_chip(int64_t size, int capability, int64_t images) {
  struct Row {
    int size, capability;
    int64_t images;
  };
  constexpr Row kFrom[] = {
      {64, 80, 96}, {64, 90, 128}, {64, 100, 128}, {128, 80, 32}, {128, 90, 48}, {128, 100, 48},
  };
  for (const Row& row : kFrom) {
    if (row.size == size && row.capability == capability) return images >= row.images;
  }
  return false;
}

inline PhasingEngine model_engine(const PhasingProblem& problem, int capability) {
  if (problem.on_chip && model_prefers_on_chip(problem.columns, capability, problem.images)) {
    return PhasingEngine::kOnChip;
  }
  return problem.two_pass ? PhasingEngine::kTwoPass : PhasingEngine::kGeneral;
}

// Images to take at once. Two-pass: those whose arrays stay in the L2 cache from one kernel to the
// next: x, two states, amplitude and support. On chip: whole waves, with at most 512 MB of scratch.
inline int64_t model_images(const PhasingProblem& problem, PhasingEngine engine) {
  constexpr int64_t kCacheBytes = int64_t{40} << 20, kScratchBytes = int64_t{512} << 20;
  switch (engine) {
    case PhasingEngine::kOnChip: {
      constexpr int64_t kBytesPerPixel = 16;
      const int64_t waves =
          kScratchBytes / (problem.pixels * kBytesPerPixel) / problem.on_chip_wave;
      return std::max<int64_t>(1, waves) * problem.on_chip_wave;
    }
    case PhasingEngine::kTwoPass:
      return std::max<int64_t>(1, kCacheBytes / (problem.pixels * (7 * problem.bits / 8 + 1)));
    default:
      return problem.per_plan;
  }
}

// forced: an engine to take whatever was measured, or null; at_once: as many images, 0: not forced.
template <typename Table>
PhasingChoice choose(const Table& table, const PhasingProblem& problem, int capability,
                     const PhasingEngine* forced = nullptr, int64_t at_once = 0) {
  PhasingEngine engine = forced != nullptr ? *forced : model_engine(problem, capability);
  const Crossover* const row = find_crossover(table, problem, capability);
  if (row != nullptr && forced == nullptr) engine = row->engine;
  if (at_once == 0 && row != nullptr && row->engine == engine) at_once = row->at_once;
  // The general engine's plans are for as many images as it takes, whatever there is to do.
  if (engine == PhasingEngine::kGeneral) return {engine, problem.per_plan};
  if (at_once == 0) at_once = model_images(problem, engine);
  return {engine, std::min(problem.images, at_once)};
}

}  // namespace symbreak
