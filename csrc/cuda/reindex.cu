// reindex: one element of the symmetry group per item, written through its index map.
#include "cuda/element.h"
#include "cuda/op.h"

namespace symbreak {
namespace {

// One block per `rows` rows of an item; x, y: [items, depth, rows, columns], offset: [items, rank],
// flipped, phase: [items].
template <typename T>
SYMBREAK_KERNEL void reindex_kernel(const Pixel<T>* __restrict__ x, Pixel<T>* __restrict__ y,
                                    const int64_t* __restrict__ offset,
                                    const bool* __restrict__ flipped, const T* __restrict__ phase,
                                    Grid grid, bool wrap, int64_t parts, int64_t rows) {
  SYMBREAK_SHARED(memory);
  Element<T>& element = *reinterpret_cast<Element<T>*>(memory);
  const int64_t item = blockIdx.x / parts, begin = blockIdx.x % parts * rows;
  if (threadIdx.x == 0) {
    IndexMap map{{0, 0, 0}, flipped[item]};
    for (int64_t axis = 0; axis < grid.rank; ++axis) {
      map.offset[grid.axis(axis)] = offset[grid.rank * item + axis];
    }
    element.set(map, grid, wrap);
    double s = 0, c = 1;
    if (phase[item] != 0) sincos(double(phase[item]), &s, &c);
    element.turn = {static_cast<T>(c), static_cast<T>(s)};
  }
  __syncthreads();
  const int64_t pixels = grid.pixels(), all = grid.size[0] * grid.size[1];
  write_rows(x + item * pixels, y + item * pixels, grid, element, wrap, begin,
             std::min(begin + rows, all));
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
    const Grid grid = make_grid(in.sizes(), ndim);
    const int64_t rows = rows_per_block(grid);
    const int64_t parts = (grid.size[0] * grid.size[1] + rows - 1) / rows;
    launch(
        reindex_kernel<T>,
        {in.numel() / grid.pixels() * parts, threads_for(rows * grid.size[2]), sizeof(Element<T>)},
        current_stream(in), pixel_data<T>(in), mutable_pixel_data<T>(y),
        offsets.const_data_ptr<int64_t>(), flips.const_data_ptr<bool>(), phases.const_data_ptr<T>(),
        grid, wrap, parts, rows);
    check_launch("reindex");
  });
  return y;
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) { m.impl("reindex", TORCH_BOX(&symbreak::reindex_cuda)); }
