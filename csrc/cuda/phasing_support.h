// The support from a bright image: above a fraction of its maximum, or its brightest pixels.
#pragma once

#include "common/bright.h"
#include "common/ordered_bits.h"
#include "cuda/phasing_batch.h"

namespace symbreak {

// Pixel n of an image whose values are `stride` numbers apart.
template <typename T>
struct BrightImages {
  const T* values;  // [images, pixels * stride]
  int64_t pixels, stride;
  SYMBREAK_DEVICE T operator()(unsigned image, int64_t n) const {
    return values[(image * pixels + n) * stride];
  }
};

// From the maximum and, where that matters, the root mean square that `level` holds before.
template <typename T>
struct WriteLevel {
  T* level;  // [images]
  double threshold;
  bool of_rms;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, T peak) const {
    const double rms = of_rms ? double(level[image]) : double(INFINITY);
    level[image] = T(threshold * bright_reference(double(peak), rms));
  }
};

struct CountInside {
  const uint8_t* support;
  int64_t pixels;
  SYMBREAK_DEVICE double operator()(unsigned image, int64_t n) const {
    return support[image * pixels + n] ? 1.0 : 0.0;
  }
};
template <typename T>
struct PowerInside {
  PhasingBatch<T> batch;
  SYMBREAK_DEVICE double operator()(unsigned image, int64_t n) const {
    const int64_t at = image * batch.pixels + n;
    if (!batch.support[at]) return 0.0;
    const double re = batch.x[at].re, im = batch.x[at].im;
    return re * re + im * im;
  }
};
template <typename T>
struct WriteCount {
  T* level;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, double count) const {
    level[image] = T(count);
  }
};
// The root mean square, where the count was.
template <typename T>
struct WriteRms {
  T* level;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, double power) const {
    level[image] = T(root_mean_square(power, double(level[image])));
  }
};

template <typename T>
struct SelectBright {
  BrightImages<T> bright;
  const T* level;
  bool from_level;  // at least the level, else above it
  uint8_t* support;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const T value = bright(image, n);
    support[image * bright.pixels + n] = from_level ? value >= level[image] : value > level[image];
  }
};

inline constexpr int kRankThreads = 1024, kRankBins = 256;

// The `rank`-th largest value of each image, one block an image: its bits, eight at a time from the
// highest, by histograms of the values that agree in the bits found so far. NaN is the least.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kRankThreads)
    rank_kernel(BrightImages<T> bright, int64_t rank, T* level) {
  SYMBREAK_SHARED(memory);
  using Bits = OrderedBits<T>;
  unsigned* const histogram = reinterpret_cast<unsigned*>(memory);
  int64_t* const left = reinterpret_cast<int64_t*>(histogram + kRankBins);  // in the found bin
  unsigned* const digit = reinterpret_cast<unsigned*>(left + 1);
  const int thread = threadIdx.x;
  Bits prefix = 0, known = 0;
  if (thread == 0) *left = rank;
  for (int shift = 8 * int(sizeof(T)) - 8; shift >= 0; shift -= 8) {
    if (thread < kRankBins) histogram[thread] = 0;
    __syncthreads();
    for (int64_t n = thread; n < bright.pixels; n += kRankThreads) {
      const T value = bright(blockIdx.x, n);
      const Bits bits = ordered_bits(value == value ? value : T(-INFINITY));
      if ((bits & known) == prefix) atomicAdd(&histogram[bits >> shift & 0xFF], 1u);
    }
    __syncthreads();
    if (thread == 0) {
      unsigned bin = kRankBins - 1;
      for (; bin > 0 && *left > histogram[bin]; --bin) *left -= histogram[bin];
      *digit = bin;
    }
    __syncthreads();
    prefix |= Bits{*digit} << shift;
    known |= Bits{0xFF} << shift;
  }
  if (thread == 0) level[blockIdx.x] = from_ordered_bits<T>(prefix);
}

// Writes the batch's support; `level` has room for [images], `partial` as reduce_images asks.
template <typename T>
void select_above_fraction(Stream stream, const PhasingBatch<T>& batch,
                           const BrightImages<T>& bright, double threshold, bool of_rms, T* level,
                           T* partial) {
  reduce_images<Maximum>(stream, batch.images, batch.pixels, bright,
                         WriteLevel<T>{level, threshold, of_rms}, partial);
  for_pixels(stream, batch.images, batch.pixels,
             SelectBright<T>{bright, level, false, batch.support});
}

template <typename T>
void select_brightest(Stream stream, const PhasingBatch<T>& batch, const BrightImages<T>& bright,
                      int64_t count, T* level) {
  launch(rank_kernel<T>, {batch.images, kRankThreads, kRankBins * int64_t{sizeof(unsigned)} + 16},
         stream, bright, count, level);
  for_pixels(stream, batch.images, batch.pixels,
             SelectBright<T>{bright, level, true, batch.support});
}

// level = the root mean square of |x| within the support; `partial` as reduce_images asks.
template <typename T>
void rms_inside(Stream stream, const PhasingBatch<T>& batch, T* level, double* partial) {
  const int64_t images = batch.images, pixels = batch.pixels;
  reduce_images<Sum>(stream, images, pixels, CountInside{batch.support, pixels},
                     WriteCount<T>{level}, partial);
  reduce_images<Sum>(stream, images, pixels, PowerInside<T>{batch}, WriteRms<T>{level}, partial);
}

// The support from the blurred |x|.
template <typename T>
void select_support(Stream stream, const PhasingBatch<T>& batch, const BrightImages<T>& blurred,
                    const SupportUpdate& update, T* level, double* partial) {
  if (update.kept > 0) {
    select_brightest(stream, batch, blurred, update.kept, level);
  } else {
    if (update.of_rms) rms_inside(stream, batch, level, partial);
    select_above_fraction(stream, batch, blurred, update.threshold, update.of_rms, level,
                          reinterpret_cast<T*>(partial));
  }
}

}  // namespace symbreak
