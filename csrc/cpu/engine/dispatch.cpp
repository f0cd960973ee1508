// One table of kernels for each instruction set this build was compiled for.
#include "cpu/engine/dispatch.h"

#include "cpu/isa.h"

namespace symbreak {

#define SYMBREAK_DECLARE_KERNELS(isa)   \
  namespace isa {                       \
  extern const Kernels<float> kSingle;  \
  extern const Kernels<double> kDouble; \
  }

SYMBREAK_DECLARE_KERNELS(baseline)
#if defined(__x86_64__)
SYMBREAK_DECLARE_KERNELS(avx2)
SYMBREAK_DECLARE_KERNELS(avx512vl)
SYMBREAK_DECLARE_KERNELS(avx512)
#endif

template <>
const Kernels<float>& selected_kernels<float>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kSingle;
  if (selected_isa() == Isa::kAvx512vl) return avx512vl::kSingle;
  if (selected_isa() == Isa::kAvx2) return avx2::kSingle;
#endif
  return baseline::kSingle;
}

template <>
const Kernels<double>& selected_kernels<double>() {
#if defined(__x86_64__)
  if (selected_isa() == Isa::kAvx512) return avx512::kDouble;
  if (selected_isa() == Isa::kAvx512vl) return avx512vl::kDouble;
  if (selected_isa() == Isa::kAvx2) return avx2::kDouble;
#endif
  return baseline::kDouble;
}

}  // namespace symbreak
