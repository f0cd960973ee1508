// reindex: one element of the symmetry group per item, one thread per pixel of the result.
#include "common/symmetry.h"
#include "cuda/device.h"
#include "cuda/op.h"

namespace symbreak {
namespace {

// x, y: [items, depth, rows, columns]; offset: [items, rank]; flipped, phase: [items].
template <typename T>
SYMBREAK_KERNEL void reindex_kernel(const Pixel<T>* __restrict__ x, Pixel<T>* __restrict__ y,
                                    const int64_t* __restrict__ offset,
                                    const bool* __restrict__ flipped, const T* __restrict__ phase,
                                    Grid grid, bool wrap, int64_t count) {
  const int64_t pixels = grid.pixels(), stride = int64_t(gridDim.x) * blockDim.x;
  for (int64_t i = int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const int64_t item = i / pixels;
    int64_t rest = i % pixels, from[3];
    IndexMap map{{0, 0, 0}, flipped[item]};
    bool inside = true;
    for (int axis = 2; axis >= 0; --axis) {
      const int64_t user_axis = axis - grid.axis(0);
      if (user_axis >= 0) map.offset[axis] = offset[grid.rank * item + user_axis];
      from[axis] = map.source(axis, rest % grid.size[axis]);
      rest /= grid.size[axis];
      if (wrap) from[axis] = wrapped(from[axis], grid.size[axis]);
      inside = inside && from[axis] >= 0 && from[axis] < grid.size[axis];
    }
    Pixel<T> value{0, 0};
    if (inside) {
      const int64_t row = from[0] * grid.size[1] + from[1];
      value = x[pixels * item + row * grid.size[2] + from[2]];
      if (map.flipped) value.im = -value.im;
      if (phase[item] != 0) {
        T s, c;
        sincos(phase[item], &s, &c);
        value = {c * value.re - s * value.im, c * value.im + s * value.re};
      }
    }
    y[i] = value;
  }
}

Tensor reindex_cuda(const Tensor& x, const Tensor& offset, const Tensor& flipped,
                    const Tensor& phase, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  STD_TORCH_CHECK(
      shape_of(offset) == appended(batch, ndim) && offset.scalar_type() == ScalarType::Long,
      "reindex: offset must be int64 of shape (*batch, ndim).");
  STD_TORCH_CHECK(shape_of(flipped) == batch && flipped.scalar_type() == ScalarType::Bool,
                  "reindex: flipped must be bool of shape (*batch).");
  STD_TORCH_CHECK(shape_of(phase) == batch, "reindex: phase must be of shape (*batch).");
  STD_TORCH_CHECK(on_device(offset) && on_device(flipped) && on_device(phase),
                  "reindex: offset, flipped and phase must be on the device of x.");
  const DeviceGuard guard(x);
  const Tensor in = torch::stable::contiguous(x), offsets = torch::stable::contiguous(offset),
               flips = torch::stable::contiguous(flipped),
               phases = torch::stable::contiguous(phase);
  Tensor y = torch::stable::new_empty(in, shape_of(in));
  with_complex(in, "reindex", [&]<typename T>() {
    STD_TORCH_CHECK(phase.scalar_type() == kRealType<T>,
                    "reindex: phase must have the real dtype of x.");
    if (in.numel() == 0) return;
    constexpr int kThreads = 256;
    launch(reindex_kernel<T>, {blocks_for(in.numel(), kThreads), kThreads}, current_stream(in),
           pixel_data<T>(in), mutable_pixel_data<T>(y), offsets.const_data_ptr<int64_t>(),
           flips.const_data_ptr<bool>(), phases.const_data_ptr<T>(), make_grid(in.sizes(), ndim),
           wrap, in.numel());
    check_launch("reindex");
  });
  return y;
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) { m.impl("reindex", TORCH_BOX(&symbreak::reindex_cuda)); }
