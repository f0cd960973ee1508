// The kernels of align on two small pairs, for ThreadSanitizer: the way of pairs that a transform
// in float cannot decide. Prints shift, flip and error of each pair.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda/best_element.h"
#include "cuda/precise_correlation.h"

using namespace symbreak;

namespace {

constexpr int64_t kItems = 2;

// The first reference is its estimate's twin in the same place, the second moved by (1, -2).
template <typename T>
void align(const Grid& grid, const Grid& padded, bool wrap) {
  const int64_t pixels = grid.pixels(), columns = grid.size[2], count = 2 * padded.pixels();
  std::vector<Pixel<T>> e(kItems * pixels), r(kItems * pixels), pair(kItems * count), object(e);
  for (int64_t i = 0; i < pixels; ++i) {
    const int64_t row = i / columns, column = i % columns;
    if (row < 2 || row > 4 || column < 3 || column > 6) continue;
    const Pixel<T> value{T(1 + std::sin(double(i))), T(std::cos(3.0 * i))};
    e[i] = e[pixels + i] = value;
    r[(6 - row) * columns + 9 - column] = {value.re, -value.im};
    r[pixels + (row + 1) * columns + column - 2] = value;
  }
  std::vector<PairState<T>> states(kItems);
  std::memset(static_cast<void*>(states.data()), 0, kItems * sizeof(PairState<T>));
  Pairs<T> pairs{{e.data(), r.data()}, kItems, grid, padded, {}, wrap, states.data()};
  for (int i = 0; i < 3; ++i) pairs.lags.axis[i] = {grid.size[i], padded.size[i], wrap};

  launch(survey_pairs_kernel<T>, {kItems, kImageThreads, sizeof(PairState<T>)}, {}, pairs, 1u);
  std::vector<double> powers(2 * kItems);
  reduce_images<Sum>({}, 2 * kItems, padded.pixels(), LoadPadded<T>{pairs, pair.data()},
                     StorePower<T>{states.data()}, powers.data());
  // Any numbers stand for the correlations in float: with a peak of 0 all of them are candidates.
  const CorrelationPower<T> power{pair.data(), count};
  std::vector<T> peaks(kItems);
  launch(reduce_kernel<Maximum, T, CorrelationPower<T>, StorePartial<T>>,
         {kItems, kImageThreads, kImageThreads * sizeof(T)}, {}, power,
         StorePartial<T>{peaks.data(), 1u}, count, kReducedPerBlock, 1u);
  launch(select_kernel<T>, {kItems, kImageThreads}, {}, pairs, power, peaks.data(), 1u);
  for (const PairState<T>& state : states) {
    if (state.found <= kMaxCandidates) std::abort();
  }
  std::vector<Pixel<double>> work(3 * kItems * padded.pixels());
  launch(precise_kernel<T>,
         {kItems, kPreciseThreads, kRootsInShared * int64_t{sizeof(Pixel<double>)}}, {}, pairs,
         power, work.data(), work.data() + kItems * padded.pixels(),
         work.data() + 2 * kItems * padded.pixels());

  const RowParts parts(grid);
  std::vector<ComplexSum> products(kItems * parts.count * (kMaxCandidates + 1));
  std::vector<int64_t> shift(2 * kItems);
  const std::unique_ptr<bool[]> flipped(new bool[kItems]);
  std::vector<T> phase(kItems), error(kItems);
  std::vector<double> errors(kItems * parts.count);
  launch(inner_products_kernel<T>,
         {kItems * parts.count, kImageThreads, kImageThreads * int64_t{sizeof(ComplexSum)}}, {},
         pairs, products.data(), parts);
  launch(choose_kernel<T>, {kItems, 32, (kMaxCandidates + 1) * int64_t{sizeof(ComplexSum)}}, {},
         pairs, products.data(), parts.count,
         AlignResults<T>{object.data(), nullptr, shift.data(), flipped.get(), phase.data(),
                         error.data()});
  launch(compare_kernel<T>,
         {kItems * parts.count, kImageThreads, kImageThreads * int64_t{sizeof(double)}}, {}, pairs,
         object.data(), errors.data(), parts);
  reduce_partial<Sum>({}, kItems, unsigned(parts.count), errors.data(),
                      StoreError<T>{pairs, error.data()});
  if (const char* message = launch_error()) {
    std::puts(message);
    std::abort();
  }
  for (int i = 0; i < kItems; ++i) {
    std::printf("%d %d %d %g ", int(shift[2 * i]), int(shift[2 * i + 1]), int(flipped[i]),
                double(error[i]));
  }
}

}  // namespace

int main() {
  align<float>({{1, 8, 10}, 2}, {{1, 15, 20}, 2}, false);
  align<float>({{1, 8, 10}, 2}, {{1, 8, 10}, 2}, true);
}
