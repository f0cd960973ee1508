// reindex: one element of the symmetry group per item, written through its index map.
#include "cpu/reindex.h"

#include "common/stable.h"
#include "cpu/result.h"

namespace symbreak {
namespace {

template <typename T>
void reindex_items(const Tensor& x, const Tensor& offset, const Tensor& flipped,
                   const Tensor& phase, const Grid& grid, bool wrap, Tensor& y) {
  const T* from = real_data<T>(x);
  const int64_t* offsets = offset.const_data_ptr<int64_t>();
  const bool* flips = flipped.const_data_ptr<bool>();
  const T* phases = phase.const_data_ptr<T>();
  T* to = mutable_real_data<T>(y);
  const int64_t pixels = grid.pixels(), items = pixels > 0 ? x.numel() / pixels : 0;
  torch::stable::parallel_for(0, items, items_per_task(pixels), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      IndexMap map{{0, 0, 0}, flips[item]};
      for (int64_t i = 0; i < grid.rank; ++i) {
        map.offset[grid.axis(i)] = offsets[grid.rank * item + i];
      }
      Reindexer<T>(grid, map, rotation<T>(phases[item]), wrap)(from + 2 * pixels * item,
                                                               to + 2 * pixels * item);
    }
  });
}

Tensor reindex_cpu(const Tensor& x, const Tensor& offset, const Tensor& flipped,
                   const Tensor& phase, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  STD_TORCH_CHECK(
      shape_of(offset) == appended(batch, ndim) && offset.scalar_type() == ScalarType::Long,
      "reindex: offset must be int64 of shape (*batch, ndim).");
  STD_TORCH_CHECK(shape_of(flipped) == batch && flipped.scalar_type() == ScalarType::Bool,
                  "reindex: flipped must be bool of shape (*batch).");
  STD_TORCH_CHECK(shape_of(phase) == batch, "reindex: phase must be of shape (*batch).");
  const Tensor in = torch::stable::contiguous(x);
  Tensor y = new_result(in);
  with_complex(in, "reindex", [&]<typename T>() {
    STD_TORCH_CHECK(phase.scalar_type() == kRealType<T>,
                    "reindex: phase must have the real dtype of x.");
    reindex_items<T>(in, torch::stable::contiguous(offset), torch::stable::contiguous(flipped),
                     torch::stable::contiguous(phase), make_grid(in.sizes(), ndim), wrap, y);
  });
  return y;
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("reindex", TORCH_BOX(&symbreak::reindex_cpu));
}
