// The fused two-sweep engine for phasing on the CPU.
#pragma once

#include <functional>
#include <vector>

#include "common/grid.h"
#include "common/phasing.h"
#include "cpu/threads.h"

namespace symbreak {

// 2D and 3D, every length 2^a 3^b 5^c 7^d 11^e 13^f from 16 to 2048.
bool engine_supports(const Grid& grid);

// Whether the CPU phases such a grid by it: unless SYMBREAK_CPU_ENGINE=general forbids.
bool has_fused_engine(const Grid& grid);

// What images begin with where the caller gives none: of image item * starts + start the iterate
// F^-1(a e^{2 pi i u}), u random by seed and start, and the support where the autocorrelation is
// bright.
struct EngineStart {
  bool iterate = false;
  bool support = false;       // only together with the iterate
  std::vector<int64_t> seed;  // [items]
  int64_t first_start = 0;    // number of the first of an item's starts
};

// Runs the schedule on every image. An image's result depends on its own data alone: not on the
// other images, nor on the number of threads. When a stop is requested, objects and supports are
// those of the iterations done so far, and 0 of images not yet begun.
template <typename T>
void run_engine(const PhasingTask<T>& task, const EngineStart& start, const Threads& threads);

// Calls body(i) for 0 <= i < count, by a thread each or one after the other, and looks in between.
void for_items(int64_t count, Threads threads, Monitor* monitor,
               const std::function<void(int64_t)>& body);

}  // namespace symbreak
