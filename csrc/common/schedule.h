// The schedule of a reconstruction as text, e.g. "3*(20*ER+180*HIO)+20*ER".
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace symbreak {

enum class Algorithm : int { kER, kHIO, kRAAR, kDM };

struct Step {
  Algorithm algorithm;
  int64_t count;  // iterations, >= 1
};

using Schedule = std::vector<Step>;

// Its message shows the text with a caret under the offending character.
struct ScheduleError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

// schedule: term { "+" term }     term: [ count "*" ] ( algorithm | "(" schedule ")" )
// Algorithms in upper or lower case; blanks anywhere between the parts. Equal neighbours are
// merged.
Schedule parse_schedule(const std::string& text);

const char* algorithm_name(Algorithm algorithm);

inline int64_t total_iterations(const Schedule& schedule) {
  int64_t total = 0;
  for (const Step& step : schedule) total += step.count;
  return total;
}

}  // namespace symbreak
