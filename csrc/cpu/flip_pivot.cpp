// flip_pivot: the pixel sum lo + hi - 1 about which each object's content is reversed.
#include "common/stable.h"
#include "cpu/bounding_box.h"

namespace symbreak {
namespace {

Tensor flip_pivot_cpu(const Tensor& x, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  const Tensor in = torch::stable::contiguous(x);
  Tensor pivot = torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long);
  const Grid grid = make_grid(in.sizes(), ndim);
  int64_t* to = pivot.mutable_data_ptr<int64_t>();
  const int64_t pixels = grid.pixels(), items = pixels > 0 ? in.numel() / pixels : 0;
  with_complex(in, "flip_pivot", [&]<typename T>() {
    torch::stable::parallel_for(0, items, items_per_task(pixels), [&](int64_t begin, int64_t end) {
      BoundingBox<T> boxes(grid);
      for (int64_t item = begin; item < end; ++item) {
        // Periodic grids, and content without a box, are reversed as a whole.
        const Box box = wrap ? Box{} : boxes.find(real_data<T>(in) + 2 * pixels * item, 0.0, false);
        for (int64_t i = 0; i < ndim; ++i) {
          const int64_t axis = grid.axis(i);
          to[ndim * item + i] =
              box.content == Content::kSome ? box.lo[axis] + box.hi[axis] - 1 : grid.size[axis] - 1;
        }
      }
    });
  });
  return pivot;
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("flip_pivot", TORCH_BOX(&symbreak::flip_pivot_cpu));
}
