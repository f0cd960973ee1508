// Results of the operators: fresh tensors of the size of the batch.
#pragma once

#include <vector>

#include "common/stable.h"
#include "cpu/large_pages.h"

namespace symbreak {

inline Tensor new_result(const Tensor& like, const std::vector<int64_t>& shape, ScalarType type) {
  Tensor result = torch::stable::new_empty(like, shape, type);
  advise_large_pages(result.mutable_data_ptr(), result.numel() * result.element_size());
  return result;
}

inline Tensor new_result(const Tensor& like) {
  return new_result(like, shape_of(like), like.scalar_type());
}

}  // namespace symbreak
