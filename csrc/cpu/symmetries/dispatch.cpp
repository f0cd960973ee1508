// The tables of the symmetry kernels.
#include "cpu/isa_tables.h"
#include "cpu/symmetries/kernels.h"

namespace symbreak {

SYMBREAK_SELECT_TABLE(SymmetryKernels<float>, kSymmetrySingle, symmetry_kernels<float>)
SYMBREAK_SELECT_TABLE(SymmetryKernels<double>, kSymmetryDouble, symmetry_kernels<double>)

}  // namespace symbreak
