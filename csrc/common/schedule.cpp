// The parser of schedules: recursive descent over the grammar of schedule.h.
#include "common/schedule.h"

#include <algorithm>
#include <cctype>

namespace symbreak {
namespace {

constexpr const char* kNames[] = {"ER", "HIO", "RAAR", "DM"};
constexpr int64_t kMaxIterations = 1'000'000'000;
constexpr int64_t kMaxSteps = 1'000'000;  // with all parentheses written out
constexpr int kMaxDepth = 32;
constexpr size_t kShown = 60;  // bytes of a long text that a message shows on either side

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)); }
bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)); }
bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }  // UTF-8

// A part of the schedule and how many iterations it holds.
struct Part {
  Schedule steps;
  int64_t total = 0;
};

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  Schedule parse() {
    const Part all = sum(0);
    if (!at_end()) fail(at_, "'+' or the end");
    return all.steps;
  }

 private:
  Part sum(int depth) {
    Part all;
    do {
      const size_t start = skip_blanks();
      append(all, term(depth), start);
    } while (accept('+'));
    return all;
  }

  Part term(int depth) {
    const size_t start = skip_blanks();
    const bool counted = is_digit(current());
    const int64_t count = counted ? number() : 1;
    if (counted && !accept('*')) fail(skip_blanks(), "'*' after the count");
    const size_t open = skip_blanks();
    if (!accept('(')) return {{{algorithm(counted), count}}, count};
    if (depth == kMaxDepth) {
      fail(open, "parentheses at most " + std::to_string(kMaxDepth) + " deep", "one more");
    }
    const Part inner = sum(depth + 1);
    if (!accept(')')) fail(skip_blanks(), "'+' or ')'");
    return repeated(inner, count, start);
  }

  Part repeated(const Part& inner, int64_t count, size_t where) {
    if (inner.total > kMaxIterations / count) fail_length(where);
    const int64_t total = inner.total * count;
    if (inner.steps.size() == 1) return {{{inner.steps[0].algorithm, total}}, total};
    if (static_cast<int64_t>(inner.steps.size()) > kMaxSteps / count) fail_length(where);
    Part all;
    for (int64_t i = 0; i < count; ++i) append(all, inner, where);
    return all;
  }

  void append(Part& all, const Part& more, size_t where) {
    all.total += more.total;  // both at most kMaxIterations
    if (all.total > kMaxIterations) fail_length(where);
    for (const Step& step : more.steps) {
      if (!all.steps.empty() && all.steps.back().algorithm == step.algorithm) {
        all.steps.back().count += step.count;
      } else {
        all.steps.push_back(step);
      }
    }
    if (static_cast<int64_t>(all.steps.size()) > kMaxSteps) fail_length(where);
  }

  int64_t number() {
    const size_t start = at_;
    int64_t value = 0;
    for (; is_digit(current()); ++at_) {
      value = 10 * value + (text_[at_] - '0');
      if (value > kMaxIterations) fail_length(start);
    }
    if (value == 0) fail(start, "a count of at least 1");
    return value;
  }

  Algorithm algorithm(bool counted) {
    const size_t start = at_;
    std::string name;
    for (; is_letter(current()); ++at_) {
      name += static_cast<char>(std::toupper(static_cast<unsigned char>(text_[at_])));
    }
    for (int i = 0; i < 4; ++i) {
      if (name == kNames[i]) return static_cast<Algorithm>(i);
    }
    std::string expected = counted ? "" : "a count, ";
    expected += "ER, HIO, RAAR, DM or '('";
    fail(start, expected, name.empty() ? character(start) : quoted(start, at_));
  }

  [[noreturn]] void fail_length(size_t where) const {
    fail(where,
         "at most " + std::to_string(kMaxIterations) + " iterations in " +
             std::to_string(kMaxSteps) + " steps",
         "more");
  }

  // Line by line: what was expected and given, the text, a caret under the character at `where`.
  [[noreturn]] void fail(size_t where, const std::string& expected) const {
    fail(where, expected, character(where));
  }
  [[noreturn]] void fail(size_t where, const std::string& expected,
                         const std::string& given) const {
    const size_t begin = where > kShown ? character_start(where - kShown) : 0;
    const size_t end = character_start(std::min(text_.size(), where + kShown));
    std::string shown = begin > 0 ? "..." : "";
    std::string caret(shown.size(), ' ');
    for (size_t i = begin; i < end; ++i) shown += is_blank(text_[i]) ? ' ' : text_[i];
    for (size_t i = begin; i < where; ++i) caret += starts_character(text_[i]) ? " " : "";
    if (end < text_.size()) shown += "...";
    throw ScheduleError("schedule: expected " + expected + ", got " + given + ".\n  " + shown +
                        "\n  " + caret + "^");
  }

  std::string character(size_t where) const {
    if (where == text_.size()) return "the end";
    size_t end = where + 1;
    while (end < text_.size() && !starts_character(text_[end])) ++end;
    return quoted(where, end);
  }

  std::string quoted(size_t begin, size_t end) const {
    const bool whole = end - begin <= kShown;
    std::string part = "'";
    part.append(text_, begin, whole ? end - begin : kShown);  // longer: a word, of ASCII letters
    return part.append(whole ? "'" : "...'");
  }

  // The first byte of the character that holds the one at `where`.
  size_t character_start(size_t where) const {
    while (where > 0 && where < text_.size() && !starts_character(text_[where])) --where;
    return where;
  }

  char current() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() { return skip_blanks() == text_.size(); }

  size_t skip_blanks() {
    while (is_blank(current())) ++at_;
    return at_;
  }

  bool accept(char c) {
    skip_blanks();
    if (current() != c) return false;
    ++at_;
    return true;
  }

  const std::string& text_;
  size_t at_ = 0;
};

}  // namespace

Schedule parse_schedule(const std::string& text) { return Parser(text).parse(); }

const char* algorithm_name(Algorithm algorithm) { return kNames[static_cast<int>(algorithm)]; }

}  // namespace symbreak
