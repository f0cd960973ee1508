// The table of kernels for the selected instruction set.
#pragma once

#include "cpu/engine/kernels.h"

namespace symbreak {

template <typename T>
const Kernels<T>& selected_kernels();

}  // namespace symbreak
