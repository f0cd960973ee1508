// fourier_amplitude: on the codelets where they reach; else torch's FFT and then the modulus, image
// by image, while it is in the cache.
#include <algorithm>
#include <optional>

#include "common/stable.h"
#include "cpu/bounding_box.h"
#include "cpu/fourier.h"
#include "cpu/result.h"
#include "cpu/symmetries/amplitude.h"

namespace symbreak {
namespace {

constexpr int64_t kPixelsPerTask = 1 << 15;

// Threads over the objects; fewer objects than threads one after the other.
template <typename T>
void write_by_codelets(const Tensor& x, const Grid& padded, Tensor& amplitude) {
  const Grid grid = make_grid(x.sizes(), 2);
  const T* objects = real_data<T>(x);
  T* to = amplitude.mutable_data_ptr<T>();
  const int64_t items = amplitude.numel() / padded.pixels();
  const auto serve = [&](int64_t begin, int64_t end, int64_t parts) {
    CodeletAmplitude<T> transform(grid, padded, static_cast<int>(parts));
    for (int64_t item = begin; item < end; ++item) {
      transform.write(objects + 2 * grid.pixels() * item, to + padded.pixels() * item);
    }
  };
  const int64_t threads = torch::stable::get_num_threads();
  if (items < threads) {
    serve(0, items, std::clamp<int64_t>(padded.pixels() / kPixelsPerThread, 1, threads));
  } else {
    torch::stable::parallel_for(0, items, items_per_task(padded.pixels()),
                                [&](int64_t begin, int64_t end) { serve(begin, end, 1); });
  }
}

// x: contiguous, [*batch, *grid].
template <typename T>
void write_amplitudes(const Tensor& x, const Grid& padded, Tensor& amplitude) {
  const Grid grid = make_grid(x.sizes(), padded.rank);
  const T* objects = real_data<T>(x);
  T* to = amplitude.mutable_data_ptr<T>();
  const Fourier<T> fourier(padded);
  for_images(amplitude.numel() / padded.pixels(), nullptr, [&](int64_t item) {
    std::vector<T> object(2 * padded.pixels());  // 0 but for the first pixels along each axis
    for (int64_t z = 0; z < grid.size[0]; ++z) {
      for (int64_t y = 0; y < grid.size[1]; ++y) {
        const int64_t row = (item * grid.size[0] + z) * grid.size[1] + y;
        std::copy_n(objects + 2 * grid.size[2] * row, 2 * grid.size[2],
                    object.data() + 2 * padded.size[2] * (z * padded.size[1] + y));
      }
    }
    Spectrum<T> spectrum = fourier.forward(object.data());
    const T* from = spectrum.data();
    torch::stable::parallel_for(
        0, padded.pixels(), kPixelsPerTask, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            to[padded.pixels() * item + i] = static_cast<T>(modulus(from[2 * i], from[2 * i + 1]));
          }
        });
  });
}

Tensor fourier_amplitude_cpu(const Tensor& x, int64_t oversampling,
                             std::optional<std::vector<int64_t>> shape, int64_t ndim) {
  std::vector<int64_t> out_shape = batch_shape(x, ndim);
  STD_TORCH_CHECK(!shape || static_cast<int64_t>(shape->size()) == ndim,
                  "fourier_amplitude: shape must have ndim sizes.");
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < ndim; ++i) {
    const int64_t size = x.size(x.dim() - ndim + i);
    sizes.push_back(shape ? (*shape)[i] : oversampling * size);
    STD_TORCH_CHECK(sizes[i] >= std::max<int64_t>(size, 1),
                    "fourier_amplitude: shape must be >= the grid on every axis.");
  }
  out_shape.insert(out_shape.end(), sizes.begin(), sizes.end());
  return with_complex(x, "fourier_amplitude", [&]<typename T>() {
    const Tensor in = torch::stable::contiguous(x);
    Tensor amplitude = new_result(in, out_shape, kRealType<T>);
    const Grid padded = make_grid(sizes, ndim);
    if (CodeletAmplitude<T>::reaches(padded)) {
      write_by_codelets<T>(in, padded, amplitude);
    } else {
      write_amplitudes<T>(in, padded, amplitude);
    }
    return amplitude;
  });
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("fourier_amplitude", TORCH_BOX(&symbreak::fourier_amplitude_cpu));
}
