// The memory of one padded transform and the threads that share its sweeps.
#pragma once

#include <algorithm>
#include <cstddef>

#include "common/stable.h"
#include "cpu/engine/memory.h"
#include "cpu/symmetries/kernels.h"
#include "cpu/symmetries/plans.h"

namespace symbreak {

// Grows to the largest size asked for; `parts` threads work on an image.
template <typename T>
class TransformScratch {
 public:
  explicit TransformScratch(int parts) : lanes_(symmetry_kernels<T>().lanes), parts_(parts) {}

  // An image of padded sizes with `states` arrays, their contents undefined.
  const Image<T>& prepare(int64_t rows, int64_t columns, int states) {
    image_.rows = static_cast<int>(rows);
    image_.columns = image_.padded_columns = static_cast<int>(columns);
    image_.along_rows = plan_of_length<T>(image_.columns).axis.plan();
    image_.along_columns = plan_of_length<T>(image_.rows).axis.plan();
    // As in the engine's workspace, out of each other's cache sets.
    image_.state_stride = int64_t{2} * lanes_ * (rows + 8);
    const int64_t state = image_.state_stride * (columns / lanes_) + kGap;
    line_size_ = 4 * columns * lanes_ + kGap;
    const int64_t needed = states * state + parts_ * line_size_ + 2 * rows;
    if (needed > size_) {
      memory_ = allocate_pages(needed * static_cast<int64_t>(sizeof(T)));
      size_ = needed;
    }
    T* next = reinterpret_cast<T*>(memory_.get());
    image_.state = next;
    image_.second = next + (states - 1) * state;
    lines_ = next + states * state;
    peaks_ = lines_ + parts_ * line_size_;
    return image_;
  }

  T* line(int64_t part) { return lines_ + part * line_size_; }
  T* peaks() { return peaks_; }  // [2, rows]

  // Calls body(line, begin, end) for parts of the blocks [0, blocks).
  template <typename Body>
  void for_blocks(int64_t blocks, const Body& body) {
    const auto serve = [&](int64_t begin, int64_t end) {
      for (int64_t part = begin; part < end; ++part) {
        body(line(part), static_cast<int>(blocks * part / parts_),
             static_cast<int>(blocks * (part + 1) / parts_));
      }
    };
    if (parts_ == 1) {
      serve(0, 1);
    } else {
      torch::stable::parallel_for(0, parts_, 1, serve);
    }
  }

  int64_t blocks(int64_t lines) const { return (lines + lanes_ - 1) / lanes_; }

 private:
  static constexpr int64_t kGap = 64;  // scalars between arrays

  const int lanes_, parts_;
  Image<T> image_;
  Pages memory_;
  int64_t size_ = 0, line_size_ = 0;
  T* lines_ = nullptr;
  T* peaks_ = nullptr;
};

// The content of a box, row by row, ready for a transform; the scale in two factors, since T may
// hold a power of two no better than the number that is scaled by it.
template <typename T>
ScaledWindow<T> content_of(const T* x, const Grid& grid, const Box& box, double scale) {
  const int exponent = std::ilogb(scale);
  ScaledWindow<T> content;
  content.window = {x + 2 * (box.lo[1] * grid.size[2] + box.lo[2]), 2 * grid.size[2],
                    box.hi[1] - box.lo[1], box.hi[2] - box.lo[2]};
  content.readable_rows = grid.size[1] - box.lo[1];
  content.scale[0] = std::ldexp(T(1), exponent / 2);
  content.scale[1] = std::ldexp(T(1), exponent - exponent / 2);
  return content;
}

}  // namespace symbreak
