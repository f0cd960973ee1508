// The mean of iterates, which the iteration goes on from.
#pragma once

#include "cuda/phasing_batch.h"

namespace symbreak {

// sum += x, or = x where it is the first.
template <typename T>
struct AddIterate {
  PhasingBatch<T> batch;
  Pixel<T>* sum;
  bool first;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const int64_t i = image * batch.pixels + n;
    const Pixel<T> x = batch.x[i];
    const Pixel<T> before = first ? Pixel<T>{T(0), T(0)} : sum[i];
    sum[i] = {before.re + x.re, before.im + x.im};
  }
};

// x = share sum
template <typename T>
struct TakeMean {
  PhasingBatch<T> batch;
  const Pixel<T>* sum;
  T share;
  SYMBREAK_DEVICE void operator()(unsigned image, int64_t n) const {
    const int64_t i = image * batch.pixels + n;
    batch.x[i] = {share * sum[i].re, share * sum[i].im};
  }
};

template <typename T>
class IterateSum {
 public:
  // Scratch for batches of at most `images`, where the task averages.
  IterateSum(const PhasingTask<T>& task, PhasingScratch& scratch, int64_t images)
      : stream_(scratch.stream()),
        sum_(task.averaged().count > 0 ? scratch.take<Pixel<T>>(images * task.grid.pixels())
                                       : nullptr) {}

  void add(const PhasingBatch<T>& batch, bool first) const {
    for_pixels(stream_, batch.images, batch.pixels, AddIterate<T>{batch, sum_, first});
  }
  void take_mean(const PhasingBatch<T>& batch, double share) const {
    for_pixels(stream_, batch.images, batch.pixels, TakeMean<T>{batch, sum_, T(share)});
  }

 private:
  const Stream stream_;
  Pixel<T>* const sum_;  // [images, *grid]
};

}  // namespace symbreak
