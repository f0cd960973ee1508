// Torch's FFT between plain pointers, one image at a time: the same bits whatever the batch.
#pragma once

#include <cstdint>
#include <thread>
#include <vector>

#include "common/grid.h"
#include "common/monitor.h"
#include "common/stable.h"
#include "cpu/others.h"

namespace symbreak {

// The result of a transform; its memory goes back to torch's allocator with it.
template <typename T>
class Spectrum {
 public:
  explicit Spectrum(Tensor values) : values_(torch::stable::contiguous(values)) {}
  T* data() { return mutable_real_data<T>(values_); }

 private:
  Tensor values_;  // [*grid] complex
};

template <typename T>
class Fourier {
 public:
  explicit Fourier(const Grid& grid) {
    for (int64_t i = 0; i < grid.rank; ++i) sizes_.push_back(grid.size[grid.axis(i)]);
    strides_.assign(sizes_.size(), 1);
    for (size_t i = sizes_.size() - 1; i > 0; --i) strides_[i - 1] = strides_[i] * sizes_[i];
  }

  Spectrum<T> forward(const T* x) const { return transform(x, false); }
  Spectrum<T> inverse(const T* x) const { return transform(x, true); }  // with 1/pixels

 private:
  Spectrum<T> transform(const T* x, bool inverse) const {
    const Tensor image = torch::stable::from_blob(
        const_cast<T*>(x), sizes_, strides_,
        torch::stable::Device(torch::headeronly::DeviceType::CPU), kComplexType<T>);
    return Spectrum<T>(fourier_transform(image, sizes_, inverse));
  }

  std::vector<int64_t> sizes_, strides_;
};

// Calls body(i) for 0 <= i < count. Many images: one thread each, and what body calls runs
// serially. Few: one after the other, each of them on all threads. The caller looks after every
// image, and while it waits for others that are at work.
template <typename Body>
void for_images(int64_t count, Monitor* monitor, const Body& body) {
  const auto serve = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      body(i);
      Monitor::look(monitor);
    }
  };
  if (count < static_cast<int64_t>(torch::stable::get_num_threads())) return serve(0, count);
  Others others;
  const auto caller = std::this_thread::get_id();
  torch::stable::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    if (std::this_thread::get_id() != caller) {
      const AtWork at_work(others);
      return serve(begin, end);
    }
    serve(begin, end);
    others.wait([&] { Monitor::look(monitor); });
  });
}

}  // namespace symbreak
