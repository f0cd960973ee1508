// center: the bounding box of each object, moved to the middle of its window.
#include <tuple>

#include "cuda/place_op.h"

namespace symbreak {
namespace {

std::tuple<Tensor, Tensor> center_cuda(const Tensor& x, double tol, bool wrap, int64_t ndim) {
  const auto batch = batch_shape(x, ndim);
  const DeviceGuard guard(x);
  const Tensor in = torch::stable::contiguous(x);
  Tensor object = torch::stable::new_empty(in, shape_of(in));
  Tensor shift = torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long);
  with_complex(in, "center", [&]<typename T>() {
    Placement<T> job{};
    job.object = mutable_pixel_data<T>(object);
    job.shift = shift.mutable_data_ptr<int64_t>();
    job.tol = tol;
    job.wrap = wrap;
    place_objects<Rule::kCenter, T>("center", in, job, ndim);
  });
  return {object, shift};
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) { m.impl("center", TORCH_BOX(&symbreak::center_cuda)); }
