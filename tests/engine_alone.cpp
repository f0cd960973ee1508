// The phasing engine of the CPU without torch, to try it on other machines and compilers:
//
//     engine_alone single|double PLANES ROWS COLUMNS SCHEDULE EVERY < in > out
//
// PLANES is 1 for an image. In: amplitude [*grid] of T, the first iterate [*grid, 2] of T, the
// support [*grid] of bytes. Out: the last iterate and support in the same form, the error (one T).
// EVERY: iterations from one support update to the next, 0 for none. Amplitudes are at most 1.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <vector>

#include "cpu/engine.h"
#include "cpu/isa.h"

namespace {

template <typename V>
void transfer(size_t (*move)(V*, size_t, size_t, FILE*), V* data, size_t bytes, FILE* file) {
  if (move(data, 1, bytes, file) != bytes) std::exit(2);
}

size_t put(void* data, size_t size, size_t count, FILE* file) {
  return std::fwrite(data, size, count, file);
}

template <typename T>
int run(char** words) {
  const int64_t planes = std::atoll(words[0]), rows = std::atoll(words[1]);
  const symbreak::Grid grid{{planes, rows, std::atoll(words[2])}, planes > 1 ? 3 : 2};
  if (!symbreak::engine_supports(grid)) return 3;
  const size_t pixels = static_cast<size_t>(grid.pixels());
  std::vector<T> amplitude(pixels), object(2 * pixels);
  std::vector<uint8_t> support(pixels);
  T error = std::numeric_limits<T>::quiet_NaN();
  transfer<void>(std::fread, amplitude.data(), pixels * sizeof(T), stdin);
  transfer<void>(std::fread, object.data(), 2 * pixels * sizeof(T), stdin);
  transfer<void>(std::fread, support.data(), pixels, stdin);
  symbreak::ShrinkwrapRule rule;
  rule.every = std::atoll(words[4]);
  const symbreak::PhasingTask<T> task{grid,
                                      1,
                                      1,
                                      symbreak::parse_schedule(words[3]),
                                      0.9,
                                      rule,
                                      0,
                                      amplitude.data(),
                                      object.data(),
                                      support.data(),
                                      &error,
                                      nullptr,
                                      nullptr};
  symbreak::run_engine(task, {}, {2});
  transfer<void>(put, object.data(), 2 * pixels * sizeof(T), stdout);
  transfer<void>(put, support.data(), pixels, stdout);
  transfer<void>(put, &error, sizeof(T), stdout);
  std::fprintf(stderr, "%s\n", symbreak::isa_name(symbreak::selected_isa()));
  return 0;
}

}  // namespace

int main(int count, char** words) {
  if (count != 7) return 1;
  return std::strcmp(words[1], "double") == 0 ? run<double>(words + 2) : run<float>(words + 2);
}
