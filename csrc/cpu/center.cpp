// center: the bounding box of each object, moved to the middle of its window.
#include <algorithm>
#include <tuple>

#include "common/stable.h"
#include "cpu/bounding_box.h"
#include "cpu/reindex.h"
#include "cpu/result.h"

namespace symbreak {
namespace {

template <typename T>
void center_items(const Tensor& x, const Grid& grid, double tol, bool wrap, Tensor& object,
                  Tensor& shift) {
  const T* from = real_data<T>(x);
  T* to = mutable_real_data<T>(object);
  int64_t* moved = shift.mutable_data_ptr<int64_t>();
  const int64_t pixels = grid.pixels(), items = pixels > 0 ? x.numel() / pixels : 0;
  torch::stable::parallel_for(0, items, items_per_task(pixels), [&](int64_t begin, int64_t end) {
    BoundingBox<T> boxes(grid);
    for (int64_t item = begin; item < end; ++item) {
      const Box box = boxes.find(from + 2 * pixels * item, tol, wrap);
      IndexMap map{{0, 0, 0}, false};
      for (int64_t i = 0; i < grid.rank; ++i) {
        const int64_t axis = grid.axis(i);
        const int64_t s = centring_shift(box.lo[axis], box.hi[axis], grid.size[axis], wrap);
        map.offset[axis] = -s;
        moved[grid.rank * item + i] = s;
      }
      Reindexer<T>(grid, map, {}, wrap)(from + 2 * pixels * item, to + 2 * pixels * item);
    }
  });
}

std::tuple<Tensor, Tensor> center_cpu(const Tensor& x, double tol, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  const Tensor in = torch::stable::contiguous(x);
  Tensor object = new_result(in);
  Tensor shift = torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long);
  with_complex(in, "center", [&]<typename T>() {
    center_items<T>(in, make_grid(in.sizes(), ndim), tol, wrap, object, shift);
  });
  return {object, shift};
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) { m.impl("center", TORCH_BOX(&symbreak::center_cpu)); }
