// One table of kernels for each instruction set this build was compiled for, and the one in use.
#pragma once

#include "cpu/isa.h"

#define SYMBREAK_DECLARE_TABLE(isa, Table, name) \
  namespace isa {                                \
  extern const Table name;                       \
  }

// Defines `const Table& function()`, a specialisation of a template: the table `name` out of the
// namespace of the selected instruction set.
#if defined(__x86_64__)
#define SYMBREAK_SELECT_TABLE(Table, name, function)             \
  SYMBREAK_DECLARE_TABLE(baseline, Table, name)                  \
  SYMBREAK_DECLARE_TABLE(avx2, Table, name)                      \
  SYMBREAK_DECLARE_TABLE(avx512vl, Table, name)                  \
  SYMBREAK_DECLARE_TABLE(avx512, Table, name)                    \
  template <>                                                    \
  const Table& function() {                                      \
    if (selected_isa() == Isa::kAvx512) return avx512::name;     \
    if (selected_isa() == Isa::kAvx512vl) return avx512vl::name; \
    if (selected_isa() == Isa::kAvx2) return avx2::name;         \
    return baseline::name;                                       \
  }
#else
#define SYMBREAK_SELECT_TABLE(Table, name, function) \
  SYMBREAK_DECLARE_TABLE(baseline, Table, name)      \
  template <>                                        \
  const Table& function() {                          \
    return baseline::name;                           \
  }
#endif
