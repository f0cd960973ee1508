// flip_pivot: the pixel sum lo + hi - 1 about which each object's content is reversed.
#include "cuda/place_op.h"

namespace symbreak {
namespace {

// pivot: [items, rank]; a periodic grid is reversed as a whole.
SYMBREAK_KERNEL void whole_grid_kernel(int64_t* pivot, Grid grid, int64_t items) {
  const int64_t stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < items; i += stride) {
    for (int64_t axis = 0; axis < grid.rank; ++axis) {
      pivot[grid.rank * i + axis] = grid.size[grid.axis(axis)] - 1;
    }
  }
}

Tensor flip_pivot_cuda(const Tensor& x, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  const DeviceGuard guard(x);
  const Tensor in = torch::stable::contiguous(x);
  Tensor pivot = torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long);
  if (in.numel() == 0) return pivot;
  with_complex(in, "flip_pivot", [&]<typename T>() {
    Placement<T> job{};
    job.shift = pivot.mutable_data_ptr<int64_t>();
    if (!wrap) return place_objects<Rule::kPivot, T>("flip_pivot", in, job, ndim);
    constexpr int kThreads = 256;
    const int64_t items = product(batch);
    launch(whole_grid_kernel, {blocks_for(items, kThreads), kThreads}, current_stream(in),
           job.shift, make_grid(in.sizes(), ndim), items);
    check_launch("flip_pivot");
  });
  return pivot;
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) { m.impl("flip_pivot", TORCH_BOX(&symbreak::flip_pivot_cuda)); }
