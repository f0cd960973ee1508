// Detection and choice of the instruction set.
#include "cpu/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace symbreak {
namespace {

constexpr Isa kWidestFirst[] = {Isa::kAvx512, Isa::kAvx512vl, Isa::kAvx2, Isa::kBaseline};

std::string available_names() {
  std::string names;
  for (Isa isa : kWidestFirst) {
    if (isa_available(isa)) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  return names;
}

// AMD's Zen 4 (family 19h) takes 64-byte vectors in two halves: nothing is gained by them, and
// blocks of 16 lines fill the first-level cache that 8 lines leave half free. Measured there, one
// core, HIO: 64x64 7.3 us against 5.6, 256x256 152 against 124, 64x64x64 681 against 577. A Xeon
// that takes them whole (Emerald Rapids) gains: 9.5 against 12.4, 211 against 255, 986 against
// 1159.
bool halves_wide_vectors() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx) return false;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return false;
  const unsigned family = ((eax >> 8) & 15) + ((eax >> 20) & 255);
  return family == 0x19;
#else
  return false;
#endif
}

Isa choose() {
  const char* forced = std::getenv("SYMBREAK_CPU_ISA");
  const std::string name = forced ? forced : "";
  for (Isa isa : kWidestFirst) {
    if (name.empty()) {
      const bool halved = isa == Isa::kAvx512 && halves_wide_vectors();
      if (isa_available(isa) && !halved) return isa;
      continue;
    }
    if (name != isa_name(isa)) continue;
    if (isa_available(isa)) return isa;
    throw std::runtime_error("SYMBREAK_CPU_ISA=" + name +
                             ": not available here, this machine and build have " +
                             available_names() + ".");
  }
  throw std::runtime_error("SYMBREAK_CPU_ISA must be baseline, avx2, avx512vl or avx512, got '" +
                           name + "'.");
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512vl:
      return "avx512vl";
    case Isa::kAvx2:
      return "avx2";
    default:
      return "baseline";
  }
}

bool isa_available(Isa isa) {
#if defined(__x86_64__)
  // These also ask whether the operating system saves the registers.
  if (isa == Isa::kAvx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == Isa::kAvx512 || isa == Isa::kAvx512vl) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  }
#endif
  return isa == Isa::kBaseline;
}

Isa selected_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace symbreak
