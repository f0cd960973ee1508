// The memory one team needs for one image.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "cpu/engine/kernels.h"

namespace symbreak {

struct AlignedDelete {
  static constexpr std::align_val_t kAlignment{4096};
  void operator()(std::byte* pointer) const { ::operator delete(pointer, kAlignment); }
};

template <typename T>
class Workspace {
 public:
  Workspace(const AxisPlan<T>& along_rows, const AxisPlan<T>& along_columns, int lanes,
            int members) {
    image_.rows = along_columns.length;
    image_.columns = along_rows.length;
    image_.along_rows = along_rows;
    image_.along_columns = along_columns;
    image_.gain = T(1.0 / (double(image_.rows) * image_.columns));
    // Padding keeps the tiles of one row block, a stride apart, out of each other's cache sets.
    image_.state_stride = int64_t{2} * lanes * (image_.rows + 8);
    const int64_t pixels = int64_t{image_.rows} * image_.columns;
    const int64_t state = image_.state_stride * (image_.columns / lanes);
    const int longest = std::max(image_.rows, image_.columns);
    line_size_ = int64_t{4} * longest * lanes;

    const int64_t scalars[] = {state,   state,  2 * pixels, pixels, members * line_size_,
                               longest, longest};
    int64_t bytes = 0;
    for (int64_t count : scalars) bytes += rounded(count * sizeof(T));
    bytes += rounded(pixels) + rounded(longest * sizeof(double));
    memory_.reset(static_cast<std::byte*>(::operator new(bytes, AlignedDelete::kAlignment)));
    next_ = memory_.get();

    image_.state = take<T>(state);
    image_.second = take<T>(state);
    image_.iterate = take<T>(2 * pixels);
    amplitude_ = take<T>(pixels);
    image_.amplitude = amplitude_;
    lines_ = take<T>(members * line_size_);
    transfer_[0] = take<T>(longest);
    transfer_[1] = take<T>(longest);
    image_.mask = take<int8_t>(pixels);
    image_.partial = take<double>(longest);
  }

  const Image<T>& image() const { return image_; }
  T* amplitude() { return amplitude_; }
  T* line(int member) { return lines_ + member * line_size_; }
  T* transfer(int axis) { return transfer_[axis]; }

  T threshold = 0;    // of the support update in progress, set by the leader
  bool stop = false;  // likewise

 private:
  static int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64 + 256; }

  template <typename U>
  U* take(int64_t count) {
    U* result = reinterpret_cast<U*>(next_);
    next_ += rounded(count * sizeof(U));
    return result;
  }

  Image<T> image_;
  std::unique_ptr<std::byte, AlignedDelete> memory_;
  std::byte* next_ = nullptr;
  T* amplitude_ = nullptr;
  T* lines_ = nullptr;
  T* transfer_[2] = {};
  int64_t line_size_ = 0;
};

}  // namespace symbreak
