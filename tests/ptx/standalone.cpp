// In a program of its own, without torch: what `new` gives is device memory, as posix_memalign's
// is.
#include <cstdlib>
#include <new>

void* operator new(size_t bytes) {
  void* memory = nullptr;
  if (posix_memalign(&memory, 64, bytes > 0 ? bytes : 1) != 0) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
