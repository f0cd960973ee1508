// best_element and align: the closest member of an estimate's orbit to a reference.
#include <algorithm>
#include <tuple>

#include "common/stable.h"
#include "cpu/best_element.h"
#include "cpu/reindex.h"
#include "cpu/result.h"

namespace symbreak {
namespace {

constexpr int64_t kMaxBytesPerThread = int64_t{64} << 20;

// Threads over the items; few or huge items one after the other, and threads within each of them.
// body(begin, end, parts): `parts` threads share an item.
template <typename Body>
void for_items(int64_t items, const Grid& grid, int64_t bytes_per_item, Body&& body) {
  const int64_t threads = torch::stable::get_num_threads();
  if (items < threads || bytes_per_item > kMaxBytesPerThread) {
    body(0, items,
         static_cast<int>(std::clamp<int64_t>(grid.pixels() / kPixelsPerThread, 1, threads)));
  } else {
    torch::stable::parallel_for(0, items, items_per_task(grid.pixels()),
                                [&](int64_t begin, int64_t end) { body(begin, end, 1); });
  }
}

using Found = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor>;

// `first`: the offset (best_element) or the object (align), written by `write(item, element)`.
template <typename T, typename Write>
Found best_elements(const Tensor& estimate, const Tensor& reference, bool wrap, int64_t ndim,
                    Tensor first, Write&& write) {
  const auto batch = batch_shape(estimate, ndim);
  Tensor shift = torch::stable::new_empty(estimate, appended(batch, ndim), ScalarType::Long);
  Tensor flipped = torch::stable::new_empty(estimate, batch, ScalarType::Bool);
  Tensor phase = torch::stable::new_empty(estimate, batch, kRealType<T>);
  Tensor sa_mse = torch::stable::new_empty(estimate, batch, kRealType<T>);
  int64_t* shifts = shift.mutable_data_ptr<int64_t>();
  bool* flips = flipped.mutable_data_ptr<bool>();
  T* phases = phase.mutable_data_ptr<T>();
  T* errors = sa_mse.mutable_data_ptr<T>();
  const T* from = real_data<T>(estimate);
  const T* towards = real_data<T>(reference);
  const Grid grid = make_grid(estimate.sizes(), ndim);
  const int64_t values = 2 * grid.pixels(), items = product(batch);
  const int64_t padding = wrap ? 1 : int64_t{1} << ndim;
  // The padded pair, its transforms, and their inverse.
  const int64_t bytes = 2 * 3 * padding * values * static_cast<int64_t>(sizeof(T));
  const int64_t count = grid.pixels() > 0 ? items : 0;
  for_items(count, grid, bytes, [&](int64_t begin, int64_t end, int parts) {
    if (begin == end) return;
    BestElement<T> best(grid, wrap, estimate, parts);
    for (int64_t item = begin; item < end; ++item) {
      const Element<T> element = best.find(from + values * item, towards + values * item);
      for (int64_t i = 0; i < ndim; ++i) shifts[ndim * item + i] = element.shift[grid.axis(i)];
      flips[item] = element.map.flipped;
      phases[item] = element.phase;
      errors[item] = static_cast<T>(element.sa_mse);
      write(grid, item, element);
    }
  });
  return {first, shift, flipped, phase, sa_mse};
}

void check_pair(const char* op, const Tensor& estimate, const Tensor& reference) {
  STD_TORCH_CHECK(shape_of(estimate) == shape_of(reference) &&
                      estimate.scalar_type() == reference.scalar_type(),
                  op, ": estimate and reference must have one shape and dtype.");
}

Found best_element_cpu(const Tensor& estimate, const Tensor& reference, bool wrap, int64_t ndim) {
  check_pair("best_element", estimate, reference);
  const Tensor from = torch::stable::contiguous(estimate);
  Tensor offset =
      torch::stable::new_empty(from, appended(batch_shape(from, ndim), ndim), ScalarType::Long);
  int64_t* offsets = offset.mutable_data_ptr<int64_t>();
  return with_complex(from, "best_element", [&]<typename T>() {
    const auto write = [&](const Grid& grid, int64_t item, const Element<T>& element) {
      for (int64_t i = 0; i < ndim; ++i) {
        offsets[ndim * item + i] = element.map.offset[grid.axis(i)];
      }
    };
    return best_elements<T>(from, torch::stable::contiguous(reference), wrap, ndim, offset, write);
  });
}

Found align_cpu(const Tensor& estimate, const Tensor& reference, bool wrap, int64_t ndim) {
  check_pair("align", estimate, reference);
  const Tensor from = torch::stable::contiguous(estimate);
  Tensor object = new_result(from);
  return with_complex(from, "align", [&]<typename T>() {
    const T* x = real_data<T>(from);
    T* y = mutable_real_data<T>(object);
    const auto write = [&](const Grid& grid, int64_t item, const Element<T>& element) {
      const int64_t at = 2 * grid.pixels() * item;
      Reindexer<T>(grid, element.map, rotation<T>(element.phase), wrap)(x + at, y + at);
    };
    return best_elements<T>(from, torch::stable::contiguous(reference), wrap, ndim, object, write);
  });
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("best_element", TORCH_BOX(&symbreak::best_element_cpu));
  m.impl("align", TORCH_BOX(&symbreak::align_cpu));
}
