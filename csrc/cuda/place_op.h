// From tensors to PlaceObjects: what the host halves of center, break_symmetry and flip_pivot
// share.
#pragma once

#include "cuda/op.h"
#include "cuda/place_objects.h"

namespace symbreak {

// x: contiguous, of the device that is current; `job` has the places of the results.
template <Rule kRule, typename T>
void place_objects(const char* op, const Tensor& x, Placement<T> job, int64_t ndim) {
  job.grid = make_grid(x.sizes(), ndim);
  const int64_t pixels = job.grid.pixels();
  job.x = pixel_data<T>(x);
  job.items = pixels > 0 ? x.numel() / pixels : 0;
  const PlaceObjects<kRule, T> place(job);
  const Tensor scratch = torch::stable::new_empty(x, {place.scratch_bytes()}, ScalarType::Byte);
  place(scratch.mutable_data_ptr(), current_stream(x));
  check_launch(op);
}

}  // namespace symbreak
