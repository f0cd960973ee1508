// Kernels over the pixels of many images: one functor per pixel, and reductions per image.
//
// A block works on a piece of one image, so an image's sums are the same whatever the batch around
// it; floats are added in a fixed order.
#pragma once

#include "cuda/device.h"

namespace symbreak {

inline constexpr int kImageThreads = 256;
inline constexpr int64_t kPixelsPerBlock = 1024;
inline constexpr int64_t kReducedPerBlock = 8192;

inline int64_t pieces(int64_t pixels, int64_t per_block) {
  return (pixels + per_block - 1) / per_block;
}

// body(image, pixel)
template <typename Body>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads)
    for_pixels_kernel(Body body, int64_t pixels, unsigned blocks_per_image) {
  const unsigned image = blockIdx.x / blocks_per_image, piece = blockIdx.x % blocks_per_image;
  const int64_t begin = piece * kPixelsPerBlock;
  const int64_t end = begin + kPixelsPerBlock < pixels ? begin + kPixelsPerBlock : pixels;
  for (int64_t n = begin + threadIdx.x; n < end; n += kImageThreads) body(image, n);
}

template <typename Body>
void for_pixels(Stream stream, int64_t images, int64_t pixels, const Body& body) {
  const int64_t blocks = pieces(pixels, kPixelsPerBlock);
  launch(for_pixels_kernel<Body>, {images * blocks, kImageThreads}, stream, body, pixels,
         static_cast<unsigned>(blocks));
}

struct Sum {
  static SYMBREAK_DEVICE double of(double a, double b) { return a + b; }
};
// From 0 on; NaNs do not count.
struct Maximum {
  template <typename T>
  static SYMBREAK_DEVICE T of(T a, T b) {
    return b > a ? b : a;
  }
};

// `values`: shared memory for one value per thread; a power of two of them. Every thread returns
// the combination of all.
template <typename Combine, typename V>
SYMBREAK_DEVICE V reduce_block(V value, V* values) {
  const int thread = threadIdx.x, threads = blockDim.x;
  values[thread] = value;
  __syncthreads();
  for (int half = threads / 2; half > 0; half /= 2) {
    if (thread < half) values[thread] = Combine::of(values[thread], values[thread + half]);
    __syncthreads();
  }
  const V result = values[0];
  __syncthreads();
  return result;
}

// Combines term(image, n) for n in one piece of the image; finish(image, piece, result).
template <typename Combine, typename V, typename Term, typename Finish>
SYMBREAK_KERNEL void __launch_bounds__(kImageThreads)
    reduce_kernel(Term term, Finish finish, int64_t count, int64_t per_block,
                  unsigned blocks_per_image) {
  SYMBREAK_SHARED(memory);
  const unsigned image = blockIdx.x / blocks_per_image, piece = blockIdx.x % blocks_per_image;
  const int64_t begin = piece * per_block;
  const int64_t end = begin + per_block < count ? begin + per_block : count;
  V value{};
  for (int64_t n = begin + threadIdx.x; n < end; n += kImageThreads) {
    value = Combine::of(value, V(term(image, n)));
  }
  value = reduce_block<Combine>(value, reinterpret_cast<V*>(memory));
  if (threadIdx.x == 0) finish(image, piece, value);
}

template <typename V>
struct StorePartial {
  V* partial;
  unsigned blocks_per_image;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned piece, V value) const {
    partial[image * blocks_per_image + piece] = value;
  }
};
template <typename V>
struct LoadPartial {
  const V* partial;
  unsigned blocks_per_image;
  SYMBREAK_DEVICE V operator()(unsigned image, int64_t n) const {
    return partial[image * blocks_per_image + n];
  }
};

// The second step of a reduction, over `count` partial results of each image.
template <typename Combine, typename V, typename Finish>
void reduce_partial(Stream stream, int64_t images, unsigned count, const V* partial,
                    const Finish& finish) {
  launch(reduce_kernel<Combine, V, LoadPartial<V>, Finish>,
         {images, kImageThreads, kImageThreads * int64_t{sizeof(V)}}, stream,
         LoadPartial<V>{partial, count}, finish, int64_t{count}, int64_t{count}, 1u);
}

// finish(image, 0, combination of term(image, n) over its pixels); `partial` has room for
// pieces(pixels, kReducedPerBlock) values of each image.
template <typename Combine, typename V, typename Term, typename Finish>
void reduce_images(Stream stream, int64_t images, int64_t pixels, const Term& term,
                   const Finish& finish, V* partial) {
  const auto blocks = static_cast<unsigned>(pieces(pixels, kReducedPerBlock));
  launch(reduce_kernel<Combine, V, Term, StorePartial<V>>,
         {images * blocks, kImageThreads, kImageThreads * int64_t{sizeof(V)}}, stream, term,
         StorePartial<V>{partial, blocks}, pixels, kReducedPerBlock, blocks);
  reduce_partial<Combine>(stream, images, blocks, partial, finish);
}

}  // namespace symbreak
