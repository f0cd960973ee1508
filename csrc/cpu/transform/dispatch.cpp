// The table of transform kernels for the selected instruction set.
#include "cpu/isa.h"
#include "cpu/transform/kernels.h"

namespace symbreak {

#define SYMBREAK_DECLARE_KERNELS(isa)                     \
  namespace isa {                                         \
  extern const TransformKernels<float> kTransformSingle;  \
  extern const TransformKernels<double> kTransformDouble; \
  }

SYMBREAK_DECLARE_KERNELS(baseline)
#if defined(__x86_64__)
SYMBREAK_DECLARE_KERNELS(avx2)
SYMBREAK_DECLARE_KERNELS(avx512)
#endif

template <>
const TransformKernels<float>& transform_kernels<float>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kTransformSingle;
  if (selected_isa() == Isa::kAvx2) return avx2::kTransformSingle;
#endif
  return baseline::kTransformSingle;
}

template <>
const TransformKernels<double>& transform_kernels<double>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kTransformDouble;
  if (selected_isa() == Isa::kAvx2) return avx2::kTransformDouble;
#endif
  return baseline::kTransformDouble;
}

}  // namespace symbreak
