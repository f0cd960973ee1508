// The only file that includes torch: what symbreak uses of its stable ABI, under short names.
#pragma once

#include <torch/csrc/stable/accelerator.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/ops.h>
#include <torch/csrc/stable/tensor.h>
#include <torch/headeronly/core/ScalarType.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace symbreak {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

namespace stable_detail = torch::stable::detail;

template <typename T>
inline constexpr ScalarType kRealType = ScalarType::Float;
template <>
inline constexpr ScalarType kRealType<double> = ScalarType::Double;

template <typename T>
inline constexpr ScalarType kComplexType = ScalarType::ComplexFloat;
template <>
inline constexpr ScalarType kComplexType<double> = ScalarType::ComplexDouble;

// Calls body.operator()<T>() with the real type T of a complex tensor. A template lambda, since
// the dispatch macros of torch break on commas, hence on every kernel launch.
template <typename Body>
auto with_complex(const Tensor& x, const char* op, Body&& body) {
  const ScalarType type = x.scalar_type();
  STD_TORCH_CHECK(type == ScalarType::ComplexFloat || type == ScalarType::ComplexDouble, op,
                  ": the tensor must be complex64 or complex128.");
  if (type == ScalarType::ComplexDouble) return body.template operator()<double>();
  return body.template operator()<float>();
}

// Complex data as interleaved real numbers: [..., 2] of T.
template <typename T>
const T* real_data(const Tensor& x) {
  return static_cast<const T*>(x.const_data_ptr());
}
template <typename T>
T* mutable_real_data(const Tensor& x) {
  return static_cast<T*>(x.mutable_data_ptr());
}

inline std::vector<int64_t> shape_of(const Tensor& x) {
  const auto sizes = x.sizes();
  return {sizes.begin(), sizes.end()};
}

// The last `ndim` axes are the grid, those before it the batch.
inline std::vector<int64_t> batch_shape(const Tensor& x, int64_t ndim) {
  STD_TORCH_CHECK(ndim == 2 || ndim == 3, "ndim must be 2 or 3, got ", ndim, ".");
  STD_TORCH_CHECK(x.dim() >= ndim, "the tensor must have at least ndim = ", ndim, " axes, got ",
                  x.dim(), ".");
  std::vector<int64_t> shape = shape_of(x);
  shape.resize(shape.size() - ndim);
  return shape;
}

inline std::vector<int64_t> appended(std::vector<int64_t> shape, int64_t size) {
  shape.push_back(size);
  return shape;
}

inline int64_t product(const std::vector<int64_t>& sizes) {
  int64_t result = 1;
  for (const int64_t size : sizes) result *= size;
  return result;
}

// Waking threads costs more than so many pixels do.
constexpr int64_t kPixelsPerThread = int64_t{1} << 14;

// Items a thread takes at least.
inline int64_t items_per_task(int64_t pixels) {
  return pixels > 0 && pixels < kPixelsPerThread ? kPixelsPerThread / pixels : 1;
}

// Calls an op of torch by name; the arguments must match its schema one by one, none left out.
template <size_t kArguments>
Tensor call_aten(const char* name, const char* overload,
                 std::array<StableIValue, kArguments> stack) {
  TORCH_ERROR_CODE_CHECK(torch_call_dispatcher(name, overload, stack.data(), TORCH_ABI_VERSION));
  return stable_detail::to<Tensor>(stack[0]);
}

// torch.fft.fftn / ifftn over these axes.
inline Tensor fourier_transform(const Tensor& x, const std::vector<int64_t>& axes, bool inverse) {
  return call_aten(
      inverse ? "aten::fft_ifftn" : "aten::fft_fftn", "",
      std::array<StableIValue, 4>{stable_detail::from(x),
                                  stable_detail::from(std::optional<std::vector<int64_t>>()),
                                  stable_detail::from(std::optional(axes)),
                                  stable_detail::from(std::optional<std::string>())});
}

}  // namespace symbreak
