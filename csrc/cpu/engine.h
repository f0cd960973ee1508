// The fused two-sweep engine for 2D phasing on the CPU: entry, in plain pointers.
#pragma once

#include <cstdint>

#include "../common/phasing.h"

namespace symbreak {

template <typename T>
struct EngineTask {
  int64_t items = 0, starts = 0;
  int64_t rows = 0, columns = 0;  // the grid M; see engine_supports
  const T* amplitude = nullptr;   // [items, rows, columns], < 0 = not measured
  T* object = nullptr;            // [items, starts, rows, columns, 2], in: start, out: x_K
  uint8_t* support = nullptr;     // [items, starts, rows, columns], in and out, 0 or 1
  T* error = nullptr;             // [items, starts]
  T* history = nullptr;           // [items, starts, total_iterations / record_every]
  Schedule schedule;
  double beta = 0.9;
  ShrinkwrapRule shrinkwrap;
  int64_t record_every = 0;  // 0: no history
  // [iterations done over all images, stop requested], read and written as atomics; may be null.
  int64_t* monitor = nullptr;
  int threads = 1;
};

// Both lengths 2^a 3^b 5^c, multiples of 16, from 32 to 2048.
bool engine_supports(int64_t rows, int64_t columns);

// Runs the schedule on every image. An image's result depends on its own data alone: not on the
// other images, nor on the number of threads. When a stop is requested, objects and supports are
// those of the iterations done so far and images not yet begun are left as they came.
template <typename T>
void engine_run(const EngineTask<T>& task);

}  // namespace symbreak
