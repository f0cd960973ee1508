// Torch's FFT between plain pointers: the same bits whatever the batch and the number of threads.
//
// MKL chooses its algorithm by shape, batch, threads and the alignment of the data, and for some
// shapes, as 18 x 107, another one rounds otherwise. So every call has a shape that follows from
// the grid alone, begins where a line of the cache does, and runs on one thread; large grids are
// cut into such calls, which threads share. So are all volumes: transforms along three axes at once
// ask how many threads there might be even where they run on one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "common/grid.h"
#include "common/monitor.h"
#include "common/stable.h"
#include "cpu/others.h"

namespace symbreak {

constexpr int64_t kPixelsAtOnce = int64_t{1} << 18;  // 2D grids below are transformed by one call
constexpr int64_t kPixelsInBlock = int64_t{1} << 15;
constexpr int64_t kLeastLines = 2;    // MKL would share a single line among threads
constexpr int64_t kLinesAtOnce = 16;  // of the last pass, side by side in memory
constexpr uintptr_t kAlignment = 64;  // bytes, a line of the cache

// Calls body(i) for 0 <= i < count, on the threads, where what it calls runs serially. Of a single
// one torch would leave the threads to what it calls: so there are two.
template <typename Body>
void serially(int64_t count, const Body& body) {
  torch::stable::parallel_for(0, std::max<int64_t>(count, 2), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < std::min(end, count); ++i) body(i);
  });
}

// The result of a transform; its memory goes back to torch's allocator with it.
template <typename T>
class Spectrum {
 public:
  explicit Spectrum(Tensor values) : values_(torch::stable::contiguous(values)) {}
  T* data() { return mutable_real_data<T>(values_); }

 private:
  Tensor values_;  // [batch, *grid] complex
};

template <typename T>
class Fourier {
 public:
  // `batch` images are transformed by each call.
  explicit Fourier(const Grid& grid, int64_t batch = 1) : pixels_(grid.pixels()) {
    sizes_.push_back(batch);
    for (int64_t i = 0; i < grid.rank; ++i) sizes_.push_back(grid.size[grid.axis(i)]);
    for (int64_t axis = 1; axis <= grid.rank; ++axis) axes_.push_back(axis);
  }

  Spectrum<T> forward(const T* x) const { return transform(x, false); }
  Spectrum<T> inverse(const T* x) const { return transform(x, true); }  // with 1/pixels

 private:
  using Sizes = std::vector<int64_t>;
  struct Complex {
    T re, im;
  };

  Spectrum<T> transform(const T* x, bool inverse) const {
    const Tensor images = view(x, sizes_);
    if (pixels_ >= kPixelsAtOnce || axes_.size() == 3) {
      return Spectrum<T>(in_blocks(x, images, inverse));
    }
    std::optional<Tensor> result;
    serially(1, [&](int64_t) { result = fourier_transform(aligned(images), axes_, inverse); });
    return Spectrum<T>(*result);
  }

  // As it is, or a copy: torch aligns what it allocates by 64 bytes.
  static Tensor aligned(const Tensor& images) {
    const T* from = real_data<T>(images);
    if (reinterpret_cast<uintptr_t>(from) % kAlignment == 0) return images;
    Tensor copy = torch::stable::new_empty(images, shape_of(images));
    std::copy_n(from, 2 * images.numel(), mutable_real_data<T>(copy));
    return copy;
  }

  // First all axes but the grid's first, some of whose planes (2D: rows) make a block; then that
  // one, for blocks of lines.
  Tensor in_blocks(const T* x, const Tensor& images, bool inverse) const {
    Tensor result = torch::stable::new_empty(images, sizes_);
    T* const to = mutable_real_data<T>(result);
    const int64_t length = sizes_[1], plane = pixels_ / length;
    const int64_t planes = std::max(kLeastLines, kPixelsInBlock / plane);
    Sizes block_sizes(sizes_.begin() + 1, sizes_.end());  // [planes, *plane]
    Sizes inner;
    for (size_t axis = 1; axis < block_sizes.size(); ++axis) {
      inner.push_back(static_cast<int64_t>(axis));
    }
    const int64_t all = sizes_[0] * length, blocks = std::max<int64_t>(1, all / planes);
    serially(blocks, [&](int64_t block) {
      Sizes sizes = block_sizes;
      sizes[0] = part_of(all, block + 1, blocks) - part_of(all, block, blocks);
      const int64_t first = 2 * plane * part_of(all, block, blocks);
      Spectrum<T> done(fourier_transform(aligned(view(x + first, sizes)), inner, inverse));
      std::copy_n(done.data(), 2 * plane * sizes[0], to + first);
    });
    // Lines are gathered side by side: torch copies what does not lie so, and MKL is slower there.
    const int64_t together = std::max(kLinesAtOnce, kPixelsInBlock / length);
    const int64_t beside = std::max<int64_t>(1, plane / together);
    serially(sizes_[0] * beside, [&](int64_t block) {
      const int64_t line = part_of(plane, block % beside, beside);
      const int64_t lines = part_of(plane, block % beside + 1, beside) - line;
      T* const first = to + 2 * (pixels_ * (block / beside) + line);
      Tensor gathered = torch::stable::new_empty(images, {lines, length});
      transpose(first, plane, length, lines, mutable_real_data<T>(gathered), length);
      Spectrum<T> done(fourier_transform(gathered, {1}, inverse));
      transpose(done.data(), length, lines, length, first, plane);
    });
    return result;
  }

  // Where block k of so many begins, nearly equal ones.
  static int64_t part_of(int64_t all, int64_t k, int64_t blocks) { return all * k / blocks; }

  // to[column, row] = from[row, column]; strides of rows. In blocks that fit lines of the cache.
  static void transpose(const T* from, int64_t stride, int64_t rows, int64_t columns, T* to,
                        int64_t to_stride) {
    constexpr int64_t kSide = 8;
    const auto* const x = reinterpret_cast<const Complex*>(from);
    auto* const y = reinterpret_cast<Complex*>(to);
    for (int64_t top = 0; top < rows; top += kSide) {
      const int64_t bottom = std::min(top + kSide, rows);
      for (int64_t left = 0; left < columns; left += kSide) {
        const int64_t right = std::min(left + kSide, columns);
        for (int64_t column = left; column < right; ++column) {
          for (int64_t row = top; row < bottom; ++row) {
            y[to_stride * column + row] = x[stride * row + column];
          }
        }
      }
    }
  }

  static Tensor view(const T* x, const Sizes& sizes) {
    Sizes strides(sizes.size(), 1);
    for (size_t i = sizes.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * sizes[i];
    return torch::stable::from_blob(const_cast<T*>(x), sizes, strides,
                                    torch::stable::Device(torch::headeronly::DeviceType::CPU),
                                    kComplexType<T>);
  }

  int64_t pixels_;
  Sizes sizes_, axes_;  // [batch, *grid]
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
