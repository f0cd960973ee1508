// The kernels for one instruction set: compiled once for each, with SYMBREAK_ISA naming it, and in
// a file for each precision, so that they compile side by side.
//
// Everything here is a template in the namespace of that name or always inlined: a function that
// the linker could share between instruction sets would end up in the wrong program.
#pragma once

#include "cpu/engine/blur_sweeps.h"
#include "cpu/engine/coherence_sweeps.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/outer_sweeps.h"
#include "cpu/engine/row_sweeps.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
constexpr Kernels<T> kKernels = {
    kLanes<T>,          forward_rows<T>,    update_rows<T>,   difference_rows<T>,
    forward_columns<T>, inverse_columns<T>, project_outer<T>, inverse_outer<T>,
    residual_outer<T>,  blur_rows<T>,       blur_columns<T>,  blur_stack<T>,
    threshold_rows<T>,  coherent_outer<T>,  blurred_rows<T>,  corrected_outer<T>};

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
