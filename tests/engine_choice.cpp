// The choice of an engine, with a planted table of measurements: prints engine and images at once
// of "capability bits rows columns depth images two_pass on_chip [forced [at_once]]" lines.
#include "cuda/engine_choice.h"

#include <cstdio>
#include <iostream>
#include <sstream>
#include <string>

using namespace symbreak;

namespace {

#if defined(PLANTED)
#include "planted.h"
#else
constexpr auto& kPlanted = kCrossovers;
#endif
static_assert(is_in_order(kPlanted));

constexpr std::array<Crossover, 2> kNotFromOne = {{
    {90, 32, 64, 2, PhasingEngine::kTwoPass, 0},
    {90, 32, 64, 8, PhasingEngine::kOnChip, 0},
}};
constexpr std::array<Crossover, 2> kDescending = {{
    {90, 32, 64, 1, PhasingEngine::kTwoPass, 0},
    {80, 32, 64, 1, PhasingEngine::kOnChip, 0},
}};
static_assert(!is_in_order(kNotFromOne) && !is_in_order(kDescending));

constexpr const char* kNames[] = {"general", "two_pass", "on_chip"};

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    int capability = 0;
    int64_t depth = 1, at_once = 0;
    PhasingProblem problem{};
    in >> capability >> problem.bits >> problem.rows >> problem.columns >> depth >>
        problem.images >> problem.two_pass >> problem.on_chip;
    problem.pixels = depth * problem.rows * problem.columns;
    problem.on_chip_wave = 132;
    problem.per_plan = 7;
    std::string name;
    PhasingEngine forced{};
    in >> name >> at_once;
    for (int i = 0; i < 3; ++i) {
      if (name == kNames[i]) forced = static_cast<PhasingEngine>(i);
    }
    const bool is_forced = !name.empty() && name != "-";
    const PhasingChoice found =
        choose(kPlanted, problem, capability, is_forced ? &forced : nullptr, at_once);
    std::printf("%s %lld\n", kNames[static_cast<int>(found.engine)],
                static_cast<long long>(found.images));
  }
}
