// The instruction set the CPU kernels use, chosen once when they are first needed.
#pragma once

namespace symbreak {

// kAvx512vl: the instructions and 32 registers of AVX-512 with vectors of 32 bytes.
enum class Isa { kBaseline, kAvx2, kAvx512vl, kAvx512 };

const char* isa_name(Isa isa);

// True where this build has the kernels and this machine runs them.
bool isa_available(Isa isa);

// The widest available one that the machine runs at full rate, or the one that the environment
// variable SYMBREAK_CPU_ISA names (baseline, avx2, avx512vl or avx512). Throws std::runtime_error
// for a name it does not know and for an instruction set this machine lacks.
Isa selected_isa();

}  // namespace symbreak
