// fourier_amplitude: torch's FFT, then the modulus in one pass.
#include <cmath>
#include <optional>

#include "common/stable.h"
#include "cpu/bounding_box.h"

namespace symbreak {
namespace {

constexpr int64_t kPixelsPerTask = 1 << 15;

Tensor fourier_amplitude_cpu(const Tensor& x, int64_t oversampling,
                             std::optional<std::vector<int64_t>> shape, int64_t ndim) {
  std::vector<int64_t> out_shape = batch_shape(x, ndim), sizes(ndim);
  for (int64_t i = 0; i < ndim; ++i) {
    const int64_t size = x.size(x.dim() - ndim + i);
    sizes[i] = shape ? shape->at(i) : oversampling * size;
    STD_TORCH_CHECK(sizes[i] >= size, "fourier_amplitude: shape must be >= the grid per axis.");
    out_shape.push_back(sizes[i]);
  }
  return with_complex(x, "fourier_amplitude", [&]<typename T>() {
    Tensor amplitude = torch::stable::new_empty(x, out_shape, kRealType<T>);
    if (amplitude.numel() == 0) return amplitude;
    const Tensor spectrum = torch::stable::contiguous(fourier_transform(x, sizes, false));
    const T* from = real_data<T>(spectrum);
    T* to = amplitude.mutable_data_ptr<T>();
    torch::stable::parallel_for(0, amplitude.numel(), kPixelsPerTask,
                                [&](int64_t begin, int64_t end) {
                                  for (int64_t i = begin; i < end; ++i) {
                                    to[i] = static_cast<T>(modulus(from[2 * i], from[2 * i + 1]));
                                  }
                                });
    return amplitude;
  });
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("fourier_amplitude", TORCH_BOX(&symbreak::fourier_amplitude_cpu));
}
