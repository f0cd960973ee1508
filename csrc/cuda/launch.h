// What kernels and their launches are described by, on the device and emulated.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace symbreak {

struct Launch {
  int64_t blocks;
  int threads;               // per block
  int64_t shared_bytes = 0;  // above 48 KB: call set_shared_limit first
  int cluster = 1;           // blocks that share their shared memory (sm_90 and up)
};

struct DeviceProperties {
  int64_t shared_bytes;  // shared memory a block may ask for
  int multiprocessors;
  int capability;  // 10 major + minor
};

// A complex number that is loaded and stored at once.
template <typename T>
struct alignas(2 * sizeof(T)) Pixel {
  T re, im;
};

// Blocks for a grid-stride loop over `count` elements.
inline int64_t blocks_for(int64_t count, int64_t threads) {
  return std::min<int64_t>((count + threads - 1) / threads, 1 << 16);
}

}  // namespace symbreak
