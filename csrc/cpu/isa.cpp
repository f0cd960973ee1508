// Detection and choice of the instruction set.
#include "cpu/isa.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace symbreak {
namespace {

constexpr Isa kWidestFirst[] = {Isa::kAvx512, Isa::kAvx2, Isa::kBaseline};

std::string available_names() {
  std::string names;
  for (Isa isa : kWidestFirst) {
    if (isa_available(isa)) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
  }
  return names;
}

Isa choose() {
  const char* forced = std::getenv("SYMBREAK_CPU_ISA");
  const std::string name = forced ? forced : "";
  for (Isa isa : kWidestFirst) {
    if (name.empty() && isa_available(isa)) return isa;
    if (name != isa_name(isa)) continue;
    if (isa_available(isa)) return isa;
    throw std::runtime_error("SYMBREAK_CPU_ISA=" + name +
                             ": not available here, this machine and build have " +
                             available_names() + ".");
  }
  throw std::runtime_error("SYMBREAK_CPU_ISA must be baseline, avx2 or avx512, got '" + name +
                           "'.");
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kAvx512:
      return "avx512";
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
  if (isa == Isa::kAvx512) {
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
