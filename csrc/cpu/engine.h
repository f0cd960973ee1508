// The fused two-sweep engine for phasing on the CPU.
#pragma once

#include "common/grid.h"
#include "common/phasing.h"

namespace symbreak {

// 2D and 3D, every length 2^a 3^b 5^c 7^d 11^e 13^f from 16 to 2048.
bool engine_supports(const Grid& grid);

// Runs the schedule on every image. An image's result depends on its own data alone: not on the
// other images, nor on the number of threads. When a stop is requested, objects and supports are
// those of the iterations done so far, and images not yet begun are left as they came.
template <typename T>
void run_engine(const PhasingTask<T>& task, int threads);

}  // namespace symbreak
