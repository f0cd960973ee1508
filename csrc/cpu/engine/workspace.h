// The memory one team needs for one image.
#pragma once

#include <algorithm>
#include <cstddef>

#include "cpu/engine/axes.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/memory.h"
#include "cpu/engine/rank.h"

namespace symbreak {

template <typename T>
class Workspace {
 public:
  // `corrects`: of patterns that partial coherence has blurred. `averages`: goes on from a mean.
  Workspace(const Axes<T>& axes, int lanes, int members, bool corrects, bool averages) {
    shape_image(axes, lanes);
    const int64_t planes = image_.planes, pixels = planes * image_.plane_pixels;
    const int64_t amplitude = int64_t{image_.outer_blocks()} * image_.outer_length() * lanes;
    const int64_t sums = std::max<int64_t>(
        image_.outer_blocks(), planes * std::max(image_.column_blocks, image_.row_blocks));
    const int longest = std::max({image_.planes, image_.rows, image_.padded_columns});
    const int64_t copied = image_.is_volume() ? kOuterRun * (planes + 1) * (corrects ? 2 : 1) : 0;
    line_size_ = 2 * lanes * std::max<int64_t>(2 * longest, copied);
    // The first round only adds up the sizes.
    for (const bool counting : {true, false}) {
      if (!counting) {
        memory_ = allocate_pages(bytes_);
        next_ = memory_.get();
      }
      image_.state = take<T>(planes * image_.plane_stride);
      image_.second = take<T>(planes * image_.plane_stride);
      if (image_.is_rounded()) image_.iterate = take<T>(2 * pixels);
      if (averages) sum_ = take<T>(2 * pixels);
      image_.amplitude = amplitude_ = take<T>(amplitude);
      lines_ = take<T>(members * line_size_);
      for (T*& transfer : transfer_) transfer = take<T>(longest);
      image_.mask = take<int8_t>(pixels);
      image_.partial = take<double>(sums);
      inside_ = take<double>(2 * planes * image_.row_blocks);
      histograms_ = take<int64_t>(int64_t{members} * RankSearch<T>::kBins);
      if (corrects) {
        correction_.held = amplitude_;
        measured_ = take<T>(amplitude);
        correction_.measured = measured_;
        correction_.coherent = take<T>(amplitude);
        correction_.moments = take<double>(int64_t{image_.outer_blocks()} * kMoments);
        for (T*& change : correction_.change) change = take<T>(longest);
        for (T*& slope : correction_.slope) slope = take<T>(longest);
      }
    }
  }

  const Image<T>& image() const { return image_; }
  T* amplitude() { return amplitude_; }
  T* measured() { return measured_; }
  T* sum() { return sum_; }  // of iterates, in their layout
  Correction<T>& correction() { return correction_; }
  T* line(int member) { return lines_ + member * line_size_; }
  T* transfer(int axis) { return transfer_[axis]; }  // as in the grid: stack, columns, rows
  double* inside() { return inside_; }               // [planes, row blocks, 2]: inside_of_rows()
  int64_t* histogram(int member) { return histograms_ + int64_t{member} * RankSearch<T>::kBins; }

  bool stop[2] = {};  // requested, as the leader saw it: Solver::wait_and_agree()

 private:
  void shape_image(const Axes<T>& axes, int lanes) {
    image_.along_rows = axes.rows.plan();
    image_.along_columns = axes.columns.plan();
    image_.columns = image_.along_rows.length;
    image_.rows = image_.along_columns.length;
    if (axes.stack) {
      image_.along_stack = axes.stack->plan();
      image_.planes = image_.along_stack.length;
    }
    const int span = std::max(lanes, 4);
    image_.padded_columns = (image_.columns + span - 1) / span * span;
    image_.column_blocks = image_.padded_columns / lanes;
    image_.row_blocks = (image_.rows + lanes - 1) / lanes;
    image_.gain = T(1.0 / (double(image_.planes) * image_.rows * image_.columns));
    const int64_t rows = int64_t{image_.row_blocks} * lanes;
    image_.plane_pixels = rows * image_.padded_columns;
    image_.real_stride = rows * lanes;
    // Padding keeps the tiles of one row block, a stride apart, out of each other's cache sets,
    image_.state_stride = 2 * lanes * (rows + 8);
    image_.plane_stride = image_.state_stride * image_.column_blocks;
    if (!image_.is_volume()) return;
    // and so it does for the runs along the stack.
    const int64_t run = int64_t{kOuterRun} * 2 * lanes, page = 4096 / int64_t{sizeof(T)};
    image_.plane_stride = (image_.plane_stride + page - 1) / page * page + run;
  }

  template <typename U>
  U* take(int64_t count) {
    const int64_t bytes = (count * int64_t{sizeof(U)} + 63) / 64 * 64 + 256;
    if (next_ == nullptr) {
      bytes_ += bytes;
      return nullptr;
    }
    U* result = reinterpret_cast<U*>(next_);
    next_ += bytes;
    return result;
  }

  Image<T> image_;
  Pages memory_;
  std::byte* next_ = nullptr;
  int64_t bytes_ = 0;
  T* amplitude_ = nullptr;
  T* measured_ = nullptr;
  T* sum_ = nullptr;
  Correction<T> correction_;
  T* lines_ = nullptr;
  T* transfer_[3] = {};
  int64_t line_size_ = 0;
  double* inside_ = nullptr;
  int64_t* histograms_ = nullptr;
};

}  // namespace symbreak
