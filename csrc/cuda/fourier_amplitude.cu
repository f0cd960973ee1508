// fourier_amplitude: torch's FFT of zero-padded objects and then the modulus, in chunks of a batch.
#include <algorithm>
#include <limits>
#include <optional>

#include "common/box.h"
#include "cuda/fourier.h"
#include "cuda/image_kernels.h"
#include "cuda/op.h"
#include "cuda/padding.h"

namespace symbreak {
namespace {

// The window of each object at the origin of the padded grid, black around it. NaN and infinity are
// kept from cuFFT, which may work on several objects together and asks for valid signals in all.
template <typename T>
struct Pad {
  const Pixel<T>* x;  // [items, *grid]
  Pixel<T>* to;       // [items, *padded]
  unsigned* spoiled;  // [items], zeros before
  Grid grid, padded;

  SYMBREAK_DEVICE void operator()(unsigned item, int64_t n) const {
    constexpr auto kInfinity = Magnitude<T>::kInfinity;
    const int64_t from = window_pixel(unsigned(n), grid, padded);
    Pixel<T> value{0, 0};
    if (from >= 0) {
      value = x[item * grid.pixels() + from];
      if (magnitude(value.re) >= kInfinity || magnitude(value.im) >= kInfinity) {
        value = {0, 0};
        atomicOr(spoiled + item, 1u);
      }
    }
    to[item * padded.pixels() + n] = value;
  }
};

template <typename T>
struct Modulus {
  const Pixel<T>* z;
  const unsigned* spoiled;  // [items]
  T* to;
  int64_t pixels;

  SYMBREAK_DEVICE void operator()(unsigned item, int64_t n) const {
    const Pixel<T> value = z[item * pixels + n];
    to[item * pixels + n] =
        spoiled[item] ? std::numeric_limits<T>::quiet_NaN() : hypot(value.re, value.im);
  }
};

// More than an iteration takes, of which there are hundreds: here a chunk of kPlanPixels would be
// over before the host has launched the next.
constexpr int64_t kChunkPixels = 4 * kPlanPixels;

// x: contiguous, [items, *grid]. Always as many objects at once, see images_per_plan.
template <typename T>
void write_amplitudes(const Tensor& x, int64_t items, const Grid& grid, const Grid& padded,
                      T* amplitude) {
  const Stream stream = current_stream(x);
  const int64_t pixels = padded.pixels(), chunk = images_per_plan(pixels, kChunkPixels);
  const DeviceFourier<T> fourier(padded, x, 0);
  const Tensor scratch = torch::stable::new_empty(x, {chunk * pixels}, kComplexType<T>);
  const Tensor flags = torch::stable::new_empty(x, {chunk}, ScalarType::Int);
  Pixel<T>* const objects = mutable_pixel_data<T>(scratch);
  auto* const spoiled = static_cast<unsigned*>(flags.mutable_data_ptr());
  for (int64_t first = 0; first < items; first += chunk) {
    const int64_t count = std::min(chunk, items - first);
    fill_bytes(stream, spoiled, 0, count * int64_t{sizeof(unsigned)});
    for_pixels(stream, count, pixels,
               Pad<T>{pixel_data<T>(x) + first * grid.pixels(), objects, spoiled, grid, padded});
    fill_bytes(stream, objects + count * pixels, 0,
               (chunk - count) * pixels * int64_t{sizeof(Pixel<T>)});
    const Tensor spectra = fourier(objects, chunk, Direction::kForward);
    for_pixels(stream, count, pixels,
               Modulus<T>{pixel_data<T>(spectra), spoiled, amplitude + first * pixels, pixels});
    check_launch("fourier_amplitude");
  }
}

Tensor fourier_amplitude_cuda(const Tensor& x, int64_t oversampling,
                              std::optional<std::vector<int64_t>> shape, int64_t ndim) {
  std::vector<int64_t> out_shape = batch_shape(x, ndim);
  const int64_t items = product(out_shape);
  STD_TORCH_CHECK(!shape || static_cast<int64_t>(shape->size()) == ndim,
                  "fourier_amplitude: shape must have ndim sizes.");
  for (int64_t i = 0; i < ndim; ++i) {
    const int64_t size = x.size(x.dim() - ndim + i);
    out_shape.push_back(shape ? (*shape)[i] : oversampling * size);
    STD_TORCH_CHECK(out_shape.back() >= std::max<int64_t>(size, 1),
                    "fourier_amplitude: shape must be >= the grid on every axis.");
  }
  const Grid padded = make_grid(out_shape, ndim);
  STD_TORCH_CHECK(padded.pixels() < int64_t{1} << 31,
                  "fourier_amplitude: the padded grid must be below 2^31 pixels.");
  const DeviceGuard guard(x);
  return with_complex(x, "fourier_amplitude", [&]<typename T>() {
    const Tensor in = torch::stable::contiguous(x);
    Tensor amplitude = torch::stable::new_empty(in, out_shape, kRealType<T>);
    if (amplitude.numel() > 0) {
      write_amplitudes<T>(in, items, make_grid(in.sizes(), ndim), padded,
                          amplitude.mutable_data_ptr<T>());
    }
    return amplitude;
  });
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) {
  m.impl("fourier_amplitude", TORCH_BOX(&symbreak::fourier_amplitude_cuda));
}
