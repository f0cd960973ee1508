// The table of symmetry kernels for the selected instruction set.
#include "cpu/isa.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

#define SYMBREAK_DECLARE_KERNELS(isa)                   \
  namespace isa {                                       \
  extern const SymmetryKernels<float> kSymmetrySingle;  \
  extern const SymmetryKernels<double> kSymmetryDouble; \
  }

SYMBREAK_DECLARE_KERNELS(baseline)
#if defined(__x86_64__)
SYMBREAK_DECLARE_KERNELS(avx2)
SYMBREAK_DECLARE_KERNELS(avx512vl)
SYMBREAK_DECLARE_KERNELS(avx512)
#endif

template <>
const SymmetryKernels<float>& symmetry_kernels<float>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kSymmetrySingle;
  if (selected_isa() == Isa::kAvx512vl) return avx512vl::kSymmetrySingle;
  if (selected_isa() == Isa::kAvx2) return avx2::kSymmetrySingle;
#endif
  return baseline::kSymmetrySingle;
}

template <>
const SymmetryKernels<double>& symmetry_kernels<double>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kSymmetryDouble;
  if (selected_isa() == Isa::kAvx512vl) return avx512vl::kSymmetryDouble;
  if (selected_isa() == Isa::kAvx2) return avx2::kSymmetryDouble;
#endif
  return baseline::kSymmetryDouble;
}

}  // namespace symbreak
