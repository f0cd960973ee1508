// Memory for the arrays of an image, in large pages where the system has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "cpu/large_pages.h"

namespace symbreak {

struct FreePages {
  static constexpr std::align_val_t kAlignment{4096};
  void operator()(std::byte* pointer) const { ::operator delete(pointer, kAlignment); }
};

using Pages = std::unique_ptr<std::byte, FreePages>;

// Volumes are walked with strides of many pages: with those of 2 MB every address stays known to
// the core, and the system clears them faster.
inline Pages allocate_pages(int64_t bytes) {
  Pages memory(static_cast<std::byte*>(::operator new(bytes, FreePages::kAlignment)));
  advise_large_pages(memory.get(), bytes, bytes);
  return memory;
}

}  // namespace symbreak
