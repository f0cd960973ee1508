// break_symmetry: each object moved to the canonical member of its orbit (Zhang et al. 2024, Alg.
// 1).
#include <string>
#include <tuple>

#include "common/flip_rule.h"
#include "cuda/place_op.h"

namespace symbreak {
namespace {

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> break_symmetry_cuda(const Tensor& x, double tol,
                                                                       int64_t ndim,
                                                                       std::string rule) {
  const FlipRule chosen = flip_rule(rule);
  const auto batch = batch_shape(x, ndim);
  const DeviceGuard guard(x);
  const Tensor in = torch::stable::contiguous(x);
  Tensor object = torch::stable::new_empty(in, shape_of(in));
  Tensor shift = torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long);
  Tensor flipped = torch::stable::new_empty(in, batch, ScalarType::Bool);
  Tensor phase, margin;
  with_complex(in, "break_symmetry", [&]<typename T>() {
    phase = torch::stable::new_empty(in, batch, kRealType<T>);
    margin = torch::stable::new_empty(in, batch, kRealType<T>);
    Placement<T> job{};
    job.object = mutable_pixel_data<T>(object);
    job.shift = shift.mutable_data_ptr<int64_t>();
    job.flipped = flipped.mutable_data_ptr<bool>();
    job.phase = mutable_real_data<T>(phase);
    job.margin = mutable_real_data<T>(margin);
    job.tol = tol;
    job.rule = chosen;
    place_objects<Rule::kBreak, T>("break_symmetry", in, job, ndim);
  });
  return {object, shift, flipped, phase, margin};
}

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) { m.impl("break_symmetry", TORCH_BOX(&symbreak::break_symmetry_cuda)); }
