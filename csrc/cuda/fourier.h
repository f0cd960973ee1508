// Torch's FFT of many images in device memory, not normalised either way.
#pragma once

#include <algorithm>
#include <vector>

#include "common/fft.h"
#include "common/grid.h"
#include "cuda/op.h"

namespace symbreak {

// Pixels of one plan: few enough that a lone image does not pay much, many enough to fill a GPU.
#if defined(SYMBREAK_EMULATED)
inline constexpr int64_t kPlanPixels = int64_t{1} << 12;
#else
inline constexpr int64_t kPlanPixels = int64_t{1} << 19;
#endif

// How many images are transformed at once where an image's bits must not depend on how many there
// are: cuFFT gives the same bits for the same plan, and the number of images is part of a plan.
inline int64_t images_per_plan(int64_t pixels, int64_t plan_pixels = kPlanPixels) {
  return std::max<int64_t>(1, plan_pixels / pixels);
}

template <typename T>
class DeviceFourier {
 public:
  // Of at most `per_plan` images, always by the plan for so many; 0: of any number, by its own.
  DeviceFourier(const Grid& grid, const Tensor& like, int64_t per_plan)
      : like_(like), pixels_(grid.pixels()), per_plan_(per_plan) {
    for (int64_t i = 0; i < grid.rank; ++i) {
      sizes_.push_back(grid.size[grid.axis(i)]);
      if (sizes_.back() > 1) axes_.push_back(i + 1);  // of one pixel there is nothing to transform
    }
    const int64_t padded = per_plan > 1 ? per_plan * pixels_ : 0;
    padded_ = torch::stable::new_empty(like, {padded}, kComplexType<T>);
  }

  // The result, in memory of torch's allocator, followed by what fills up the plan; x: [images,
  // *grid]. aten::_fft_c2c itself: above it torch.fft.ifftn would spend a pass over the data on the
  // normalisation.
  Tensor operator()(const Pixel<T>* x, int64_t images, Direction direction) const {
    if (images < per_plan_) {
      x = filled_up(x, images);
      images = per_plan_;
    }
    std::vector<int64_t> sizes{images}, strides;
    sizes.insert(sizes.end(), sizes_.begin(), sizes_.end());
    strides.assign(sizes.size(), 1);
    for (size_t i = sizes.size() - 1; i > 0; --i) strides[i - 1] = strides[i] * sizes[i];
    const Tensor values = torch::stable::from_blob(const_cast<Pixel<T>*>(x), sizes, strides,
                                                   like_.device(), kComplexType<T>);
    constexpr int64_t kNoNormalisation = 0;
    return torch::stable::contiguous(call_aten(
        "aten::_fft_c2c", "",
        std::array<StableIValue, 4>{stable_detail::from(values), stable_detail::from(axes_),
                                    stable_detail::from(kNoNormalisation),
                                    stable_detail::from(direction == Direction::kForward)}));
  }

 private:
  // A copy of the images with zeros behind them.
  const Pixel<T>* filled_up(const Pixel<T>* x, int64_t images) const {
    const Stream stream = current_stream(like_);
    Pixel<T>* const to = mutable_pixel_data<T>(padded_);
    const int64_t bytes = pixels_ * int64_t{sizeof(Pixel<T>)};
    copy_bytes(stream, to, x, images * bytes);
    fill_bytes(stream, to + images * pixels_, 0, (per_plan_ - images) * bytes);
    return to;
  }

  Tensor like_;
  int64_t pixels_, per_plan_;
  Tensor padded_;                      // [per_plan, *grid]
  std::vector<int64_t> sizes_, axes_;  // axes after that of the images
};

}  // namespace symbreak
