// The images that are iterated together on a GPU, and what all engines need for them.
#pragma once

#include <vector>

#include "common/phasing.h"
#include "cuda/image_kernels.h"
#include "cuda/op.h"

namespace symbreak {

// `images` images from number `first` (item * starts + start) on.
template <typename T>
struct PhasingBatch {
  int64_t images, pixels;
  unsigned first, starts;
  Pixel<T>* x;          // [images, *grid]
  uint8_t* support;     // [images, *grid]
  const T* amplitude;   // [items, *grid]; < 0: see marked_amplitude()
  const double* power;  // [items]: sum of its squares
  T* error;             // [images]
  T* history;           // [images, records]

  SYMBREAK_DEVICE unsigned item(unsigned image) const { return (first + image) / starts; }
  SYMBREAK_DEVICE unsigned start(unsigned image) const { return (first + image) % starts; }
};

// Where the work runs, and memory for it: a pool of the largest batch's size, made once per call.
class PhasingScratch {
 public:
  explicit PhasingScratch(const Tensor& like) : like_(like), stream_(current_stream(like)) {}

  Stream stream() const { return stream_; }
  const Tensor& like() const { return like_; }

  // Room for `count` values of V, kept to the end of the call.
  template <typename V>
  V* take(int64_t count) {
    const int64_t bytes = count * int64_t{sizeof(V)};
    held_.push_back(torch::stable::new_empty(like_, {bytes}, ScalarType::Byte));
    return static_cast<V*>(held_.back().mutable_data_ptr());
  }

 private:
  Tensor like_;
  Stream stream_;
  std::vector<Tensor> held_;
};

// sqrt(residual / power of the item), written to out[image * stride].
template <typename T>
struct WriteError {
  PhasingBatch<T> batch;
  T* out;
  int64_t stride;
  SYMBREAK_DEVICE void operator()(unsigned image, unsigned, double residual) const {
    out[image * stride] = T(sqrt(residual / batch.power[batch.item(image)]));
  }
};

}  // namespace symbreak
