// Measured: the fastest engine of a reconstruction, by device, type, size and batch.
//
// Written by `python bench/crossovers.py --write` on a machine with a GPU, not by hand. Where there
// is no row for a device, type and size, csrc/cuda/engine_choice.h goes by its cost model.
#pragma once

#include <array>
#include <cstdint>

namespace symbreak {

enum class PhasingEngine { kGeneral, kTwoPass, kOnChip };

struct Crossover {
  int capability;  // of the device, 10 major + minor
  int bits;        // 32 or 64: of the amplitude
  int size;        // of a square grid
  int64_t images;  // from so many on
  PhasingEngine engine;
  int64_t at_once;  // images taken through the schedule together, 0: as the model has it
};

// Ascending in capability, bits, size and images; every device, type and size begins with 1 image.
// crossovers: begin
inline constexpr std::array<Crossover, 0> kCrossovers = {};
// crossovers: end

}  // namespace symbreak
