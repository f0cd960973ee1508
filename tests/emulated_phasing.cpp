// The fused phasing kernels on small images, for ThreadSanitizer: prints the iterates that come
// out.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <vector>

#include "cuda/on_chip.cu"
#include "cuda/phasing_updates.h"
#include "cuda/two_pass_columns.h"
#include "cuda/two_pass_rows.h"

using namespace symbreak;

SYMBREAK_KERNEL void fill_kernel(FillTwiddles<float> fill, int count) {
  if (threadIdx.x == 0) {
    for (int i = 0; i < count; ++i) fill(0, i);
  }
}

namespace {

struct Images {
  int64_t count, rows, columns;
  std::vector<Pixel<float>> x;
  std::vector<uint8_t> support;
  std::vector<float> amplitude;

  Images(int64_t count, int64_t rows, int64_t columns)
      : count(count),
        rows(rows),
        columns(columns),
        x(count * rows * columns),
        support(x.size()),
        amplitude(x.size()) {
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = {float(std::sin(double(i))), float(std::cos(3.0 * double(i)))};
      support[i] = i % 7 < 3;
      amplitude[i] = i % 11 == 0 ? -1.0f : float(1 + std::sin(5.0 * double(i))) / 2;
    }
  }

  void print() const {
    for (size_t i = 0; i < x.size(); i += 5) {
      std::printf("%a %a %d\n", double(x[i].re), double(x[i].im), support[i]);
    }
  }
};

template <class Axis>
std::vector<Pixel<float>> twiddles() {
  std::vector<Pixel<float>> values(Axis::kTwiddles);
  launch(fill_kernel, {1, 32}, {}, FillTwiddles<float>{AxisPlan::of(Axis()), values.data()},
         int{Axis::kTwiddles});
  return values;
}

// A program with a support update within and one at the end.
template <class Axis>
void on_chip(int64_t count) {
  constexpr int size = Axis::kLength;
  Images images(count, size, size);
  const auto roots = twiddles<Axis>();
  std::vector<float> transfer(size);
  for (int i = 0; i < size; ++i) transfer[i] = 1.0f / float(1 + i % 5);
  OnChipArguments arguments{images.x.data(),
                            images.support.data(),
                            images.amplitude.data(),
                            0,
                            1,
                            roots.data(),
                            transfer.data(),
                            0.5f,
                            true,
                            {}};
  arguments.program.steps[0] = {1, 1.0f, -0.9f, 0};
  arguments.program.steps[1] = {1, 0.0f, 0.0f, -1};
  arguments.program.steps[2] = {0, 0.0f, 0.0f, 0};
  arguments.program.count = 3;
  launch_on_chip({}, size, count, arguments);
  images.print();
}

// An iteration, a blurred image and an error.
template <class Row, class Column>
void two_pass() {
  constexpr int kRows = Column::kLength, kColumns = Row::kLength;
  Images images(2, kRows, kColumns);
  const auto along_rows = twiddles<Row>(), along_columns = twiddles<Column>();
  std::vector<Pixel<float>> state(images.x.size());
  std::vector<double> partial(images.count * kColumns);
  std::vector<float> transfer(kRows + kColumns, 0.5f);
  RowSweep<float> sweep;
  sweep.x = images.x.data();
  sweep.support = images.support.data();
  sweep.twiddles = along_rows.data();
  sweep.lines = images.count * kRows;
  const auto rows = [&] {
    using Tile = RowTile<float, Row>;
    launch(row_sweep_kernel<float, Row>,
           {(sweep.lines + Tile::kLines - 1) / Tile::kLines, kRowThreads, Tile::kBytes}, {}, sweep);
  };
  ColumnSweep<float> down;
  down.state = state.data();
  down.amplitude = images.amplitude.data();
  down.gain = 1.0f / float(kRows * kColumns);
  down.columns = kColumns;
  down.transfer_rows = transfer.data();
  down.transfer_columns = transfer.data() + kRows;
  down.partial = partial.data();
  down.twiddles = along_columns.data();
  const auto columns = [&](ColumnRule rule) {
    using Tile = ColumnTile<float, Column>;
    down.rule = rule;
    launch(column_sweep_kernel<float, Column>,
           {images.count * (kColumns / Tile::kColumns), Tile::kThreads, Tile::kBytes}, {}, down);
  };

  sweep.to = state.data();
  sweep.update = towards_object_update<float>(0, {});
  rows();
  columns(ColumnRule::kProject);
  sweep.from = state.data();
  sweep.store = true;
  sweep.update = feed_back_update<float>(Algorithm::kHIO, 0.9, {});
  rows();
  images.print();
  sweep.from = nullptr;
  sweep.store = false;
  sweep.modulus = true;
  rows();
  columns(ColumnRule::kBlur);
  sweep.from = state.data();
  sweep.to = nullptr;
  sweep.bright = reinterpret_cast<float*>(state.data());
  rows();
  for (size_t i = 0; i < state.size(); i += 5) std::printf("%a\n", double(state[i].re));
  columns(ColumnRule::kResidual);
  double sum = 0;
  for (const double part : partial) sum += part;
  std::printf("%a\n", sum);
}

}  // namespace

int main(int, char** arguments) {
  const char* name = arguments[1];
  if (!std::strcmp(name, "two-pass")) {
    two_pass<Radices<8, 4, 3>, Radices<8, 4>>();
    two_pass<Radices<8, 4>, Radices<8, 4, 3>>();
  } else if (!std::strcmp(name, "64")) {
    on_chip<Radices<8, 8>>(2);
  } else if (!std::strcmp(name, "waves")) {
    for (const int size : {64, 128, 256}) {
      std::printf("%d ", int(on_chip_wave(size, device_properties())));
    }
  } else {
    on_chip<Radices<16, 16>>(2);
  }
  if (const char* error = launch_error()) {
    std::fprintf(stderr, "%s\n", error);
    return 1;
  }
}
