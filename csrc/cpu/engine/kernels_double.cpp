// The engine's kernels in double precision, for one instruction set.
#include "cpu/engine/kernel_table.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

extern const Kernels<double> kDouble = kKernels<double>;

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
