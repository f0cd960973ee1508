// The on-chip engine: collects iterations into programs for one kernel; what that kernel does not
// do (errors, supports of a given area, the difference map, the mean of iterates) the two-pass
// engine does between them.
#pragma once

#include "cuda/on_chip.h"
#include "cuda/phasing_two_pass.h"

namespace symbreak {

// gaussian_transfer by position, for each update of a program.
struct FillOnChipTransfer {
  AxisPlan plan;
  double sigma[OnChipProgram::kSteps];
  float* transfer;  // [updates, length]
  SYMBREAK_DEVICE void operator()(unsigned update, int64_t position) const {
    const int frequency = plan.frequency(static_cast<int>(position));
    transfer[update * plan.length + position] =
        float(gaussian_transfer(frequency, plan.length, sigma[update]));
  }
};

class OnChipEngine {
 public:
  static constexpr int64_t kLongestRun = 128;  // iterations between two looks at a requested stop

  // Its kernel knows no limit of the phase.
  static bool supports(const PhasingTask<float>& task, const DeviceProperties& device) {
    const Grid& grid = task.grid;
    return !task.cone().limits && grid.rank == 2 && grid.size[1] == grid.size[2] &&
           on_chip_fits(grid.size[1], device);
  }

  // Scratch for batches of at most `images`.
  OnChipEngine(const PhasingTask<float>& task, PhasingScratch& scratch, int64_t images)
      : task_(task),
        stream_(scratch.stream()),
        two_pass_(task, scratch, images),
        size_(static_cast<int>(task.grid.size[2])),
        transfer_(scratch.take<float>(OnChipProgram::kSteps * size_)) {
    fill_transfer_.plan = two_pass_axis(size_);
    fill_transfer_.transfer = transfer_;
  }

  void begin(const PhasingBatch<float>& batch) {
    batch_ = batch;
    two_pass_.attach(batch);
  }

  void iterate(Algorithm algorithm, int64_t count) {
    if (algorithm == Algorithm::kDM) {
      flush();
      two_pass_.begin(batch_);  // its state is not that of x
      two_pass_.iterate(algorithm, count);
    } else {
      const Feedback<float> outside = feedback<float>(algorithm, task_.beta);
      append({static_cast<int>(count), outside.keep, outside.project, -1});
    }
  }

  void record(int64_t j) {
    flush();
    two_pass_.record(j);
  }
  void finish() {
    flush();
    two_pass_.finish();
  }

  void add_iterate(bool first) {
    flush();
    two_pass_.add_iterate(first);
  }
  void take_mean(double share) { two_pass_.take_mean(share); }

  void update_support(const SupportUpdate& update) {
    // A program has one threshold; that of a mean is another.
    if (update.kept > 0 || update.threshold != task_.shrinkwrap.threshold) {
      flush();
      two_pass_.update_support(update);
      return;
    }
    fill_transfer_.sigma[updates_] = update.sigma;
    append({0, 0.0f, 0.0f, updates_++});
  }

 private:
  void append(const OnChipStep& step) {
    constexpr int kIterations = 512;  // of a launch, which nothing can stop
    program_.steps[program_.count++] = step;
    iterations_ += step.count;
    if (program_.count == OnChipProgram::kSteps || iterations_ >= kIterations) flush();
  }

  void flush() {
    if (program_.count == 0) return;
    if (updates_ > 0) for_pixels(stream_, updates_, size_, fill_transfer_);
    launch_on_chip(stream_, size_, batch_.images,
                   {batch_.x, batch_.support, two_pass_.amplitude(), batch_.first, batch_.starts,
                    two_pass_.row_twiddles(), transfer_, float(task_.shrinkwrap.threshold),
                    task_.shrinkwrap.of_rms, program_});
    program_.count = updates_ = iterations_ = 0;
  }

  const PhasingTask<float>& task_;
  const Stream stream_;
  TwoPassEngine<float> two_pass_;
  const int size_;
  PhasingBatch<float> batch_{};
  OnChipProgram program_{};
  int updates_ = 0, iterations_ = 0;  // in the program
  FillOnChipTransfer fill_transfer_{};
  float* const transfer_;  // [OnChipProgram::kSteps, size]
};

}  // namespace symbreak
