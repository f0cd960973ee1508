// The engine's kernels in single precision, for one instruction set.
#include "cpu/engine/kernel_table.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

extern const Kernels<float> kSingle = kKernels<float>;

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
