// Memory that is written once from end to end, in pages of 2 MB where the system gives them.
#pragma once

#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace symbreak {

// Asks for large pages for fresh memory, which the system clears four times as fast (measured: 32
// MB in 2.5 ms instead of 9.7). Below 4 MB libc keeps its memory, and nothing would be saved; above
// 64 MB a virtual machine may have to get them from its host: 256 MB took 16 to 360 ms, as small
// pages 83.
inline void advise_large_pages([[maybe_unused]] void* memory, [[maybe_unused]] int64_t bytes,
                               [[maybe_unused]] int64_t most = int64_t{1} << 26) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes < int64_t{1} << 22 || bytes > most) return;
  const uintptr_t page = 4096, start = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (start + page - 1) / page * page, last = (start + bytes) / page * page;
  madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);  // advice: may be refused
#endif
}

}  // namespace symbreak
