// The tables of the engine's kernels.
#include "cpu/engine/dispatch.h"

#include "cpu/isa_tables.h"

namespace symbreak {

SYMBREAK_SELECT_TABLE(Kernels<float>, kSingle, selected_kernels<float>)
SYMBREAK_SELECT_TABLE(Kernels<double>, kDouble, selected_kernels<double>)

}  // namespace symbreak
