// The flip rule by its name.
#pragma once

#include <string>

#include "common/canonical.h"
#include "common/stable.h"

namespace symbreak {

inline FlipRule flip_rule(const std::string& name) {
  if (name == "circulation") return FlipRule::kCirculation;
  STD_TORCH_CHECK(name == "angle", "break_symmetry: rule must be 'angle' or 'circulation', got '",
                  name, "'.");
  return FlipRule::kAngle;
}

}  // namespace symbreak
