// The pointwise passes of an iteration between two FFTs, one functor each.
#pragma once

#include "common/phasing_start.h"
#include "cuda/phasing_batch.h"
#include "cuda/phasing_updates.h"

namespace symbreak {

// F x -> F P_M x, with the normalisation of the inverse transform.
template <typename T>
struct MatchAmplitude {
  PhasingBatch<T> batch;
  Pixel<T>* spectrum;  // [images, *grid]
  T gain;              // 1/pixels
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const T a = batch.amplitude[batch.item(image) * batch.pixels + n];
    Pixel<T>& value = spectrum[image * batch.pixels + n];
    value = to_pixel(project_modulus<DeviceMath, T>(to_complex(value), a * gain, gain));
  }
};

// y = update(x, p); p may be null where the update does not look at it.
template <typename T>
struct ApplyUpdate {
  PhasingBatch<T> batch;
  Update<T> update;
  const Pixel<T>* p;
  Pixel<T>* y;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const int64_t i = image * batch.pixels + n;
    const Complex<T> projected = p == nullptr ? Complex<T>{0, 0} : to_complex(p[i]);
    y[i] = to_pixel(update(to_complex(batch.x[i]), projected, batch.support[i]));
  }
};

// (|X| - a)^2 where measured, in float64.
template <typename T>
struct AmplitudeResidual {
  PhasingBatch<T> batch;
  const Pixel<T>* spectrum;
  SYMBREAK_DEVICE double operator()(unsigned image, int64_t n) const {
    const Pixel<T> value = spectrum[image * batch.pixels + n];
    const double a = batch.amplitude[batch.item(image) * batch.pixels + n];
    return residual<DeviceMath, double>(Complex<double>{value.re, value.im}, a, 1.0);
  }
};

// y = |x|
template <typename T>
struct TakeModulus {
  PhasingBatch<T> batch;
  Pixel<T>* y;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const int64_t i = image * batch.pixels + n;
    y[i] = {magnitude<DeviceMath, T>(to_complex(batch.x[i])), T(0)};
  }
};

// gaussian_transfer along the axes of a grid, one after the other.
template <typename T>
struct FillTransfer {
  Grid grid;
  double sigma;
  T* transfer;  // [size[0] + size[1] + size[2]]
  SYMBREAK_DEVICE void operator()(unsigned, int64_t n) const {
    int64_t index = n;
    int axis = 0;
    for (; index >= grid.size[axis]; ++axis) index -= grid.size[axis];
    transfer[n] = T(gaussian_transfer(index, grid.size[axis], sigma));
  }
};

template <typename T>
struct ApplyTransfer {
  Grid grid;
  const T* transfer;
  Pixel<T>* spectrum;
  T gain;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const auto columns = static_cast<unsigned>(grid.size[2]);
    const auto rows = static_cast<unsigned>(grid.size[1]);
    const auto line = static_cast<unsigned>(n / columns);
    const T* const along_rows = transfer + grid.size[0];
    const T weight = transfer[line / rows] * along_rows[line % rows] *
                     (along_rows + rows)[n - int64_t(line) * columns] * gain;
    Pixel<T>& value = spectrum[image * grid.pixels() + n];
    value = {value.re * weight, value.im * weight};
  }
};

}  // namespace symbreak
