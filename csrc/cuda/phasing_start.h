// What a reconstruction starts from on a GPU: amplitudes in range, first iterates and supports.
#pragma once

#include <limits>

#include "common/reconstruct_op.h"
#include "cuda/fourier.h"
#include "cuda/phasing_pointwise.h"
#include "cuda/phasing_support.h"

namespace symbreak {

// The amplitudes of all items and what they are: [items, *grid], or null.
template <typename T>
struct GivenAmplitude {
  const T* amplitude;
  const bool* valid;
  const bool* saturated;
  int64_t pixels;
  SYMBREAK_DEVICE bool is_measured(int64_t i) const { return valid == nullptr || valid[i]; }
  SYMBREAK_DEVICE bool is_saturated(int64_t i) const {
    return saturated != nullptr && saturated[i];
  }
};

// Where something is known of it, else 0.
template <typename T>
struct KnownAmplitude {
  GivenAmplitude<T> given;
  SYMBREAK_DEVICE T operator()(unsigned item, int64_t n) const {
    const int64_t i = item * given.pixels + n;
    return given.is_measured(i) || given.is_saturated(i) ? given.amplitude[i] : T(0);
  }
};

template <typename T>
struct WriteFactor {
  T* factor;  // [items]
  SYMBREAK_DEVICE void operator()(unsigned item, unsigned, T peak) const {
    factor[item] = range_factor(peak);
  }
};

template <typename T>
struct MarkMeasured {
  GivenAmplitude<T> given;
  const T* factor;
  T* marked;
  SYMBREAK_DEVICE void operator()(unsigned item, int64_t n) const {
    const int64_t i = item * given.pixels + n;
    marked[i] = marked_amplitude(given.amplitude[i], given.is_measured(i), given.is_saturated(i),
                                 factor[item]);
  }
};

template <typename T>
struct AmplitudePower {
  const T* marked;
  int64_t pixels;
  SYMBREAK_DEVICE double operator()(unsigned item, int64_t n) const {
    const double a = marked[item * pixels + n];
    return a < 0 ? 0.0 : a * a;
  }
};
struct WritePower {
  double* power;  // [items]
  SYMBREAK_DEVICE void operator()(unsigned item, unsigned, double sum) const { power[item] = sum; }
};

// Scales the amplitudes of all items; factor, power: [items], marked: [items, *grid].
template <typename T>
void scale_amplitudes(PhasingScratch& scratch, int64_t items, const GivenAmplitude<T>& given,
                      T* factor, double* power, T* marked) {
  const int64_t pixels = given.pixels;
  double* const partial = scratch.take<double>(items * pieces(pixels, kReducedPerBlock));
  const Stream stream = scratch.stream();
  reduce_images<Maximum>(stream, items, pixels, KnownAmplitude<T>{given}, WriteFactor<T>{factor},
                         reinterpret_cast<T*>(partial));
  for_pixels(stream, items, pixels, MarkMeasured<T>{given, factor, marked});
  reduce_images<Sum>(stream, items, pixels, AmplitudePower<T>{marked, pixels}, WritePower{power},
                     partial);
}

template <typename T>
struct FillNan {
  T* values;
  SYMBREAK_DEVICE void operator()(unsigned, int64_t n) const {
    values[n] = std::numeric_limits<T>::quiet_NaN();
  }
};

// a^2, 0 where nothing is known.
template <typename T>
struct TakeIntensity {
  PhasingBatch<T> batch;
  Pixel<T>* y;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const T a = known_amplitude(batch.amplitude[batch.item(image) * batch.pixels + n]);
    y[image * batch.pixels + n] = {a * a, T(0)};
  }
};

// |gain c|^2 in place of c's real part.
template <typename T>
struct TakePower {
  int64_t pixels;
  T gain;
  Pixel<T>* c;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    Pixel<T>& value = c[image * pixels + n];
    const T re = gain * value.re, im = gain * value.im;
    value.re = re * re + im * im;
  }
};

// The level of the first support: at first the maximum of the autocorrelation's square, then what
// FirstLevels chooses by the sum of its weights.
template <typename T>
struct WritePeak {
  T* level;  // [images]
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, T peak) const { level[image] = peak; }
};
template <typename T>
struct WeighFirstSupport {
  BrightImages<T> power;
  const T* peak;
  SYMBREAK_DEVICE double operator()(unsigned image, int64_t n) const {
    return FirstLevels<T>(peak[image]).weight(power(image, n));
  }
};
template <typename T>
struct WriteFirstLevel {
  PhasingBatch<T> batch;
  bool has_shrinkwrap;
  T* level;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, double weight) const {
    const T zero = batch.amplitude[batch.item(image) * batch.pixels];
    level[image] = FirstLevels<T>(level[image]).chosen(has_shrinkwrap, zero, weight);
  }
};

template <typename T>
struct TakeRandomPhases {
  PhasingBatch<T> batch;
  const int64_t* seed;  // [items] or null
  int64_t first_start;
  Pixel<T>* y;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const unsigned item = batch.item(image);
    const T a = batch.amplitude[item * batch.pixels + n];
    const int64_t start = first_start + batch.start(image);
    y[image * batch.pixels + n] =
        to_pixel(random_start(a, seed == nullptr ? int64_t{0} : seed[item], start, n));
  }
};

// x = from * gain * factor of the item, or divided by that factor.
template <typename T>
struct ScaleImages {
  PhasingBatch<T> batch;
  const Pixel<T>* from;
  T gain;
  const T* factor;  // [items] or null
  bool divide;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const int64_t i = image * batch.pixels + n;
    const T f = factor == nullptr ? T(1) : factor[batch.item(image)];
    const T scale = divide ? gain / f : gain * f;
    batch.x[i] = {scale * from[i].re, scale * from[i].im};
  }
};

// The first support and the first iterate of a batch of at most so many images as the plans of
// `fourier` have; level: [images], partial as reduce_images asks.
template <typename T>
void start_images(Stream stream, const DeviceFourier<T>& fourier, const PhasingBatch<T>& batch,
                  const PhasingStart& given, bool has_shrinkwrap, const T* factor, T* level,
                  double* partial) {
  const int64_t images = batch.images, pixels = batch.pixels, from = batch.first * pixels;
  const T gain = T(1.0 / double(pixels));
  if (given.support != nullptr) {
    copy_bytes(stream, batch.support, given.support + from, images * pixels);
  } else {
    for_pixels(stream, images, pixels, TakeIntensity<T>{batch, batch.x});
    const Tensor c = fourier(batch.x, images, Direction::kInverse);
    for_pixels(stream, images, pixels, TakePower<T>{pixels, gain, mutable_pixel_data<T>(c)});
    const BrightImages<T> power{real_data<T>(c), pixels, 2};
    reduce_images<Maximum>(stream, images, pixels, power, WritePeak<T>{level},
                           reinterpret_cast<T*>(partial));
    reduce_images<Sum>(stream, images, pixels, WeighFirstSupport<T>{power, level},
                       WriteFirstLevel<T>{batch, has_shrinkwrap, level}, partial);
    for_pixels(stream, images, pixels, SelectBright<T>{power, level, false, batch.support});
  }
  if (given.initial != nullptr) {
    const auto* initial = static_cast<const Pixel<T>*>(given.initial) + from;
    for_pixels(stream, images, pixels, ScaleImages<T>{batch, initial, T(1), factor, false});
  } else {
    for_pixels(stream, images, pixels,
               TakeRandomPhases<T>{batch, given.seed, given.first_start, batch.x});
    const Tensor x = fourier(batch.x, images, Direction::kInverse);
    for_pixels(stream, images, pixels,
               ScaleImages<T>{batch, pixel_data<T>(x), gain, nullptr, false});
  }
}

// The same for a batch of any size; errors and histories have no start.
template <typename T>
void start_batch(Stream stream, const DeviceFourier<T>& fourier, const PhasingBatch<T>& batch,
                 const PhasingStart& given, bool has_shrinkwrap, const T* factor, T* level,
                 double* partial) {
  const int64_t most = images_per_plan(batch.pixels);
  for (int64_t done = 0; done < batch.images; done += most) {
    PhasingBatch<T> part = batch;
    part.images = std::min(most, batch.images - done);
    part.first += static_cast<unsigned>(done);
    part.x += done * batch.pixels;
    part.support += done * batch.pixels;
    start_images(stream, fourier, part, given, has_shrinkwrap, factor, level, partial);
  }
}

}  // namespace symbreak
