// The row sweep for every length it is compiled for.
#include "cuda/two_pass_axes.h"
#include "cuda/two_pass_rows.h"

namespace symbreak {

AxisPlan two_pass_axis(int64_t length) {
  AxisPlan plan;
  with_two_pass_axis(length, [&](auto axis) { plan = AxisPlan::of(axis); });
  return plan;
}

template <typename T>
void launch_row_sweep(Stream stream, int length, const RowSweep<T>& sweep) {
  with_two_pass_axis(length, [&]<int... kR>(Radices<kR...>) {
    using Tile = RowTile<T, Radices<kR...>>;
    const int64_t blocks = (sweep.lines + Tile::kLines - 1) / Tile::kLines;
    launch(row_sweep_kernel<T, Radices<kR...>>, {blocks, kRowThreads, Tile::kBytes}, stream, sweep);
  });
}

template void launch_row_sweep<float>(Stream, int, const RowSweep<float>&);
template void launch_row_sweep<double>(Stream, int, const RowSweep<double>&);

}  // namespace symbreak
