// The kernels of center and break_symmetry on small objects, for ThreadSanitizer: prints the
// shifts. `emulated_placement whole` has an object per block, `parts` several blocks per object.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/place_objects.h"

using namespace symbreak;

namespace {

template <Rule kRule, typename T>
void place(double tol, bool wrap, bool parts) {
  const Grid grid{{1, 25, 30}, 2};  // two warps for a whole object
  const int64_t items = 2, pixels = grid.pixels();
  std::vector<Pixel<T>> x(items * pixels), object(items * pixels);
  for (int64_t i = 0; i < items * pixels; ++i) {
    if (i % pixels < 400 && i % 30 > 7) x[i] = {T(std::sin(double(i))), T(std::cos(3.0 * i))};
  }
  std::vector<int64_t> shift(items * 2);
  const std::unique_ptr<bool[]> flipped(new bool[items]);
  std::vector<T> phase(items), margin(items);
  const PlaceObjects<kRule, T> run({x.data(), object.data(), shift.data(), flipped.get(),
                                    phase.data(), margin.data(), items, grid, tol, wrap,
                                    FlipRule::kCirculation});
  if (parts != (run.scratch_bytes() > 0)) std::abort();
  std::vector<unsigned char> scratch(run.scratch_bytes());
  run(scratch.data(), {});
  if (const char* error = launch_error()) {
    std::puts(error);
    std::abort();
  }
  for (const int64_t s : shift) std::printf("%d ", int(s));
}

void place_all(bool parts) {
  for (const double tol : {0.0, 0.3}) {
    place<Rule::kBreak, float>(tol, false, parts);
    place<Rule::kCenter, double>(tol, false, parts);
    place<Rule::kCenter, float>(tol, true, parts);
  }
}

}  // namespace

int main(int, char** argument) { place_all(!std::strcmp(argument[1], "parts")); }
