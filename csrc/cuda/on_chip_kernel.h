// The kernel that takes an image through a program of iterations and support updates on chip.
#pragma once

#include "common/bright.h"
#include "cuda/image_kernels.h"
#include "cuda/on_chip.h"
#include "cuda/on_chip_passes.h"

namespace symbreak {

struct FloatSum {
  static SYMBREAK_DEVICE float of(float a, float b) { return a + b; }
};

struct OnChipBlur {
  const float* transfer;  // by position
  float gain;
  int first;  // position of this block
  SYMBREAK_DEVICE Complex<float> operator()(const Complex<float>& value, int position,
                                            int column) const {
    const float weight = transfer[first + position] * transfer[column] * gain;
    return {weight * value.re, weight * value.im};
  }
};

// The values of all the image's threads combined, by its warps; `values`: one for each warp of the
// block. The image waits once more before they are written again.
template <class Layout, class Combine>
SYMBREAK_DEVICE float image_combined(float value, float* values) {
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    value = Combine::of(value, __shfl_xor_sync(0xFFFFFFFFu, value, lanes));
  }
  if (thread_index() % 32 == 0) values[thread_index() / 32] = value;
  wait_for_image<Layout>();
  if constexpr (Layout::kBlocks == 1) {
    value = values[0];
    for (int warp = 1; warp < Layout::kWarps; ++warp) value = Combine::of(value, values[warp]);
  } else {
    for (int block = 0; block < Layout::kBlocks; ++block) {
      const Peer peer = peer_of(values, block);
      for (int warp = 0; warp < Layout::kWarps; ++warp) {
        const float other = peer_load<float>(peer, warp);
        value = block + warp == 0 ? other : Combine::of(value, other);
      }
    }
  }
  return value;
}

// The amplitude at position c of a row lies where the two-pass engine keeps it.
template <class Layout>
SYMBREAK_DEVICE int two_pass_column(int c) {
  return c % Layout::kLast * Layout::kFirst + c / Layout::kLast;
}

// kShared: the amplitude fits into shared memory too, where it already holds the gain; else it is
// read from the caches.
template <class Layout, bool kShared>
struct OnChipAmplitude {
  const float* values;
  float gain;
  SYMBREAK_DEVICE Complex<float> operator()(const Complex<float>& value, int position,
                                            int column) const {
    const int at = kShared ? column : two_pass_column<Layout>(column);
    const float amplitude = values[position * Layout::kSize + at];
    return project_modulus<DeviceMath, float>(value, kShared ? amplitude : amplitude * gain, gain);
  }
};

template <class Layout, bool kShared>
SYMBREAK_KERNEL void __launch_bounds__(Layout::kThreads, Layout::kSize == 64 ? 4 : 1)
    on_chip_kernel(const OnChipArguments given) {
  SYMBREAK_SHARED(memory);
  constexpr int kSize = Layout::kSize, kFirst = Layout::kFirst, kHeld = Layout::kRows * kSize;
  constexpr int64_t kPixels = int64_t{kSize} * kSize;
  constexpr float kGain = 1.0f / float(kPixels);
  const unsigned number = blockIdx.x / Layout::kBlocks;  // of the image
  unsigned char* const image = memory;
  Pixel<float>* const factors =
      reinterpret_cast<Pixel<float>*>(memory + Layout::kRows * Layout::kRow);
  const PairedTwiddles<float> twiddles{
      reinterpret_cast<const PairedTwiddles<float>::Pair*>(factors)};
  float* const combined = reinterpret_cast<float*>(factors + kSize);
  float* const amplitude = combined + Layout::kWarps;

  for (int i = threadIdx.x; i < kSize; i += Layout::kThreads) {
    factors[i] = given.twiddles[i % kFirst * Layout::kLast + i / kFirst];
  }
  const float* const measured = given.amplitude + (given.first + number) / given.starts * kPixels +
                                own_block<Layout>() * kHeld;
  if constexpr (kShared) {
    for (int i = threadIdx.x; i < kHeld; i += Layout::kThreads) {
      amplitude[i] = measured[i - i % kSize + two_pass_column<Layout>(i % kSize)] * kGain;
    }
  }
  const OnChipAmplitude<Layout, kShared> project{kShared ? amplitude : measured, kGain};

  // The iterate and the support of this thread's pixels: row `line`, columns item + kLast j.
  Pixel<float>* const x_global = given.x + number * kPixels;
  uint8_t* const support_global = given.support + number * kPixels;
  Complex<float> x[Layout::kPixelsPerThread];
  unsigned support = 0;
  SYMBREAK_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
    const OnChipPlace at(q, Layout::kFirstItems, Layout::kLast);
    const int first = Layout::image_row(own_block<Layout>(), at.line) * kSize + at.item;
    SYMBREAK_UNROLL for (int j = 0; j < kFirst; ++j) {
      const int n = first + Layout::kLast * j;
      x[q * kFirst + j] = to_complex(x_global[n]);
      support |= (support_global[n] ? 1u : 0u) << (q * kFirst + j);
    }
  }
  __syncthreads();

  for (int s = 0; s < given.program.count; ++s) {
    const OnChipStep step = given.program.steps[s];
    const int passes = step.count + (step.blur >= 0 ? 1 : 0);
    SYMBREAK_NO_UNROLL for (int pass = 0; pass < passes; ++pass) {
      const bool blur = pass == step.count;
      // Each thread writes the points that it read at the end of the pass before: no barrier.
      SYMBREAK_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
        Complex<float> v[kFirst];
        SYMBREAK_UNROLL for (int j = 0; j < kFirst; ++j) {
          const Complex<float> value = x[q * kFirst + j];
          v[j] = blur ? Complex<float>{magnitude<DeviceMath, float>(value), 0.0f} : value;
        }
        object_to_rows<Layout>(image, twiddles, q, v);
      }
      __syncthreads();
      rows_last_pass<Layout, Direction::kForward>(image);
      __syncthreads();
      columns_first_pass<Layout, Direction::kForward>(image, twiddles);
      wait_for_image<Layout>();
      if (blur) {
        columns_last_pass<Layout>(image, OnChipBlur{given.transfer + step.blur * kSize, kGain,
                                                    own_block<Layout>() * Layout::kRows});
      } else {
        columns_last_pass<Layout>(image, project);
      }
      wait_for_image<Layout>();
      columns_first_pass<Layout, Direction::kInverse>(image, twiddles);
      __syncthreads();
      rows_last_pass<Layout, Direction::kInverse>(image);
      __syncthreads();
      if (!blur) {
        SYMBREAK_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
          Complex<float> p[kFirst];
          rows_to_object<Layout>(image, twiddles, q, p);
          SYMBREAK_UNROLL for (int j = 0; j < kFirst; ++j) {
            const int i = q * kFirst + j;
            const bool inside = support >> i & 1u;
            x[i] = inside ? p[j] : feed_back<true, float>(p[j], x[i], step.keep, step.project);
          }
        }
        continue;
      }
      float rms = INFINITY;  // see bright_reference
      if (given.of_rms) {
        float power = 0, count = 0;
        SYMBREAK_UNROLL for (int i = 0; i < Layout::kPixelsPerThread; ++i) {
          const bool inside = support >> i & 1u;
          power += inside ? x[i].re * x[i].re + x[i].im * x[i].im : 0.0f;
          count += inside ? 1.0f : 0.0f;
        }
        power = image_combined<Layout, FloatSum>(power, combined);
        wait_for_image<Layout>();
        count = image_combined<Layout, FloatSum>(count, combined);
        wait_for_image<Layout>();
        rms = float(root_mean_square(double(power), double(count)));
      }
      // The blurred image twice, since registers do not hold it: for its maximum, then to compare.
      float level = 0;
      SYMBREAK_NO_UNROLL for (int round = 0; round < 2; ++round) {
        float peak = 0;
        unsigned bright = 0;
        SYMBREAK_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
          Complex<float> p[kFirst];
          rows_to_object<Layout>(image, twiddles, q, p);
          SYMBREAK_UNROLL for (int j = 0; j < kFirst; ++j) {
            peak = Maximum::of(peak, p[j].re);
            bright |= (p[j].re > level ? 1u : 0u) << (q * kFirst + j);
          }
        }
        if (round == 0) {
          peak = image_combined<Layout, Maximum>(peak, combined);
          level = float(given.threshold * bright_reference(double(peak), double(rms)));
        } else {
          support = bright;
        }
      }
      __syncthreads();
    }
  }
  SYMBREAK_UNROLL for (int q = 0; q < Layout::kFirstItems; ++q) {
    const OnChipPlace at(q, Layout::kFirstItems, Layout::kLast);
    const int first = Layout::image_row(own_block<Layout>(), at.line) * kSize + at.item;
    SYMBREAK_UNROLL for (int j = 0; j < kFirst; ++j) {
      const int n = first + Layout::kLast * j;
      x_global[n] = to_pixel(x[q * kFirst + j]);
      support_global[n] = support >> (q * kFirst + j) & 1u;
    }
  }
  // No block may end while another one still reads its combined values.
  if constexpr (Layout::kBlocks > 1) cluster_sync();
}

}  // namespace symbreak
