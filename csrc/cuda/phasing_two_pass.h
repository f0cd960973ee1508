// The two-pass engine: 2D grids whose lengths have codelets, two fused kernels per iteration.
#pragma once

#include "cuda/phasing_mean.h"
#include "cuda/phasing_support.h"
#include "cuda/two_pass.h"

namespace symbreak {

// Values in the frequency order of a state: from each item's amplitude.
template <typename T>
struct OrderAmplitude {
  AxisPlan along_rows, along_columns;
  const T* amplitude;  // [items, rows, columns]
  T* ordered;          // the same shape
  SYMBREAK_DEVICE void operator()(unsigned item, int64_t n) const {
    const int columns = along_rows.length, row = static_cast<int>(n) / columns;
    const int position = along_rows.row_position(static_cast<int>(n) % columns);
    const int64_t from =
        int64_t(along_columns.frequency(row)) * columns + along_rows.frequency(position);
    const int64_t pixels = int64_t(along_columns.length) * columns;
    ordered[item * pixels + n] = amplitude[item * pixels + from];
  }
};

// gaussian_transfer along both axes in that order: [rows + columns].
template <typename T>
struct OrderTransfer {
  AxisPlan along_rows, along_columns;
  double sigma;
  T* transfer;
  SYMBREAK_DEVICE void operator()(unsigned, int64_t n) const {
    const int index = static_cast<int>(n), rows = along_columns.length;
    const int column = along_rows.row_position(index < rows ? 0 : index - rows);
    const int frequency =
        index < rows ? along_columns.frequency(index) : along_rows.frequency(column);
    const int length = index < rows ? rows : along_rows.length;
    transfer[n] = T(gaussian_transfer(frequency, length, sigma));
  }
};

template <typename T>
class TwoPassEngine {
 public:
  static constexpr int64_t kLongestRun = 1;  // iterations between two looks at a requested stop

  // shared_bytes: what a block may have; lines of 512 and 1024 do not fit the 64 KB of sm_75.
  static bool supports(const Grid& grid, int64_t shared_bytes) {
    return grid.rank == 2 && two_pass_axis(grid.size[1]).length > 0 &&
           two_pass_axis(grid.size[2]).length > 0 &&
           column_sweep_bytes<T>(grid.size[1]) <= shared_bytes;
  }

  // Scratch for batches of at most `images`.
  TwoPassEngine(const PhasingTask<T>& task, PhasingScratch& scratch, int64_t images)
      : task_(task),
        stream_(scratch.stream()),
        along_columns_(two_pass_axis(task.grid.size[1])),
        along_rows_(two_pass_axis(task.grid.size[2])),
        cone_(task.cone()),
        tiles_(along_rows_.length / columns_per_tile<T>(along_columns_.length)),
        sum_(task, scratch, images),
        state_(scratch.take<Pixel<T>>(images * task.grid.pixels())),
        work_(scratch.take<Pixel<T>>(images * task.grid.pixels())),
        amplitude_(scratch.take<T>(task.items * task.grid.pixels())),
        row_twiddles_(scratch.take<Pixel<T>>(along_rows_.twiddles)),
        column_twiddles_(scratch.take<Pixel<T>>(along_columns_.twiddles)),
        transfer_(scratch.take<T>(along_rows_.length + along_columns_.length)),
        level_(scratch.take<T>(images)),
        partial_(scratch.take<double>(
            images * std::max(int64_t{tiles_}, pieces(task.grid.pixels(), kReducedPerBlock)))) {
    allow_column_sweep<T>(along_columns_.length);
    for_pixels(stream_, 1, along_rows_.twiddles, FillTwiddles<T>{along_rows_, row_twiddles_});
    for_pixels(stream_, 1, along_columns_.twiddles,
               FillTwiddles<T>{along_columns_, column_twiddles_});
    for_pixels(stream_, task.items, task.grid.pixels(),
               OrderAmplitude<T>{along_rows_, along_columns_, task.amplitude, amplitude_});
  }

  void begin(const PhasingBatch<T>& batch) {
    attach(batch);
    forward(keep_update<T>(), state_);
  }

  // All that the other calls need; `iterate` needs `begin`.
  void attach(const PhasingBatch<T>& batch) { batch_ = batch; }

  // [items, rows, columns], columns in the order of AxisPlan::row_position.
  const T* amplitude() const { return amplitude_; }
  const Pixel<T>* row_twiddles() const { return row_twiddles_; }

  void iterate(Algorithm algorithm, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      RowSweep<T> sweep = row_sweep();
      sweep.store = true;
      columns(ColumnRule::kProject, state_);
      sweep.from = state_;
      if (algorithm == Algorithm::kDM) {
        forward(towards_object_update<T>(1 / task_.beta, cone_), work_);
        columns(ColumnRule::kProject, work_);
        sweep.update = difference_map_first<T>(task_.beta, cone_);
        launch_row_sweep(stream_, along_rows_.length, sweep);
        // The second step needs P_M of what was made of the x before this one.
        sweep.from = work_;
        sweep.update = difference_map_second<T>(task_.beta);
      } else {
        sweep.update = feed_back_update<T>(algorithm, task_.beta, cone_);
      }
      sweep.to = state_;
      launch_row_sweep(stream_, along_rows_.length, sweep);
    }
  }

  void record(int64_t j) { write_error(batch_.history + j, task_.records()); }
  void finish() { write_error(batch_.error, 1); }

  void add_iterate(bool first) { sum_.add(batch_, first); }
  void take_mean(double share) {
    sum_.take_mean(batch_, share);
    forward(keep_update<T>(), state_);
  }

  void update_support(const SupportUpdate& update) {
    const int64_t lengths = along_rows_.length + along_columns_.length;
    for_pixels(stream_, 1, lengths,
               OrderTransfer<T>{along_rows_, along_columns_, update.sigma, transfer_});
    RowSweep<T> sweep = row_sweep();
    sweep.modulus = true;
    sweep.to = work_;
    launch_row_sweep(stream_, along_rows_.length, sweep);
    columns(ColumnRule::kBlur, work_);
    sweep.from = work_;
    sweep.to = nullptr;
    sweep.bright = reinterpret_cast<T*>(work_);
    launch_row_sweep(stream_, along_rows_.length, sweep);
    select_support(stream_, batch_, BrightImages<T>{sweep.bright, batch_.pixels, 2}, update, level_,
                   partial_);
  }

 private:
  RowSweep<T> row_sweep() const {
    RowSweep<T> sweep;
    sweep.x = batch_.x;
    sweep.support = batch_.support;
    sweep.twiddles = row_twiddles_;
    sweep.lines = batch_.images * along_columns_.length;
    return sweep;
  }

  // to = F_rows update(x)
  void forward(const Update<T>& update, Pixel<T>* to) const {
    RowSweep<T> sweep = row_sweep();
    sweep.update = update;
    sweep.to = to;
    launch_row_sweep(stream_, along_rows_.length, sweep);
  }

  void columns(ColumnRule rule, Pixel<T>* state) const {
    ColumnSweep<T> sweep;
    sweep.state = state;
    sweep.amplitude = amplitude_;
    sweep.gain = T(1.0 / double(batch_.pixels));
    sweep.first = batch_.first;
    sweep.starts = batch_.starts;
    sweep.columns = along_rows_.length;
    sweep.rule = rule;
    sweep.transfer_rows = transfer_;
    sweep.transfer_columns = transfer_ + along_columns_.length;
    sweep.partial = partial_;
    sweep.twiddles = column_twiddles_;
    launch_column_sweep(stream_, along_columns_.length, batch_.images, sweep);
  }

  void write_error(T* out, int64_t stride) const {
    forward(towards_object_update<T>(0, cone_), work_);
    columns(ColumnRule::kResidual, work_);
    reduce_partial<Sum>(stream_, batch_.images, static_cast<unsigned>(tiles_), partial_,
                        WriteError<T>{batch_, out, stride});
  }

  const PhasingTask<T>& task_;
  const Stream stream_;
  const AxisPlan along_columns_, along_rows_;
  const PhaseCone<T> cone_;
  const int tiles_;  // of columns in an image
  PhasingBatch<T> batch_{};
  const IterateSum<T> sum_;
  Pixel<T>* const state_;  // [images, rows, columns]: F_rows x
  Pixel<T>* const work_;   // the same shape
  T* const amplitude_;     // [items, rows, columns] in the order of a state
  Pixel<T>* const row_twiddles_;
  Pixel<T>* const column_twiddles_;
  T* const transfer_;  // of the blur
  T* const level_;     // [images]
  double* const partial_;
};

}  // namespace symbreak
