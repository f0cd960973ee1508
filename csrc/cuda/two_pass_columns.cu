// The column sweep for every length it is compiled for.
#include "cuda/two_pass_axes.h"
#include "cuda/two_pass_columns.h"

namespace symbreak {

template <typename T>
int64_t column_sweep_bytes(int64_t length) {
  int64_t bytes = 0;
  with_two_pass_axis(
      length, [&]<int... kR>(Radices<kR...>) { bytes = ColumnTile<T, Radices<kR...>>::kBytes; });
  return bytes;
}

template <typename T>
void allow_column_sweep(int length) {
  with_two_pass_axis(length, [&]<int... kR>(Radices<kR...>) {
    constexpr int64_t kBytes = ColumnTile<T, Radices<kR...>>::kBytes;
    if (kBytes > (48 << 10)) set_shared_limit(column_sweep_kernel<T, Radices<kR...>>, kBytes);
  });
}

template <typename T>
void launch_column_sweep(Stream stream, int length, int64_t images, const ColumnSweep<T>& sweep) {
  with_two_pass_axis(length, [&]<int... kR>(Radices<kR...>) {
    using Tile = ColumnTile<T, Radices<kR...>>;
    constexpr auto kernel = column_sweep_kernel<T, Radices<kR...>>;
    launch(kernel, {images * (sweep.columns / Tile::kColumns), Tile::kThreads, Tile::kBytes},
           stream, sweep);
  });
}

template int64_t column_sweep_bytes<float>(int64_t);
template int64_t column_sweep_bytes<double>(int64_t);
template void allow_column_sweep<float>(int);
template void allow_column_sweep<double>(int);
template void launch_column_sweep<float>(Stream, int, int64_t, const ColumnSweep<float>&);
template void launch_column_sweep<double>(Stream, int, int64_t, const ColumnSweep<double>&);

}  // namespace symbreak
