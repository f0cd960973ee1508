// Torch's FFT of many images in device memory, not normalised either way.
#pragma once

#include <vector>

#include "common/fft.h"
#include "common/grid.h"
#include "cuda/op.h"

namespace symbreak {

template <typename T>
class DeviceFourier {
 public:
  DeviceFourier(const Grid& grid, const Tensor& like) : like_(like) {
    for (int64_t i = 0; i < grid.rank; ++i) {
      sizes_.push_back(grid.size[grid.axis(i)]);
      axes_.push_back(i + 1);
    }
  }

  // The result, in memory of torch's allocator; x: [images, *grid]. aten::_fft_c2c itself: above it
  // torch.fft.ifftn would spend a pass over the data on the normalisation.
  Tensor operator()(const Pixel<T>* x, int64_t images, Direction direction) const {
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
  Tensor like_;
  std::vector<int64_t> sizes_, axes_;  // axes after that of the images
};

}  // namespace symbreak
