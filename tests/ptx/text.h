// Pieces of PTX text.
#pragma once
#include <algorithm>
#include <sstream>

#include "program.h"

namespace ptx {

using Words = std::vector<std::string>;

inline std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\n\r");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\n\r") - begin + 1);
}

// At separators outside of brackets.
inline Words split(const std::string& text, char separator) {
  Words parts;
  std::string part;
  int depth = 0;
  for (const char c : text) {
    depth += (c == '{' || c == '[' || c == '(') - (c == '}' || c == ']' || c == ')');
    if (c == separator && depth == 0) {
      parts.push_back(trimmed(part));
      part.clear();
    } else {
      part += c;
    }
  }
  if (!trimmed(part).empty()) parts.push_back(trimmed(part));
  return parts;
}

inline Words words_of(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

inline int64_t bytes_of(const std::string& type) {
  const size_t digit = type.find_first_of("0123456789");
  return digit == std::string::npos ? 1 : std::stoll(type.substr(digit)) / 8;
}

// ".align 8 .b8 name[16]" or ".b64 name": its name and bytes.
inline std::pair<std::string, Variable> variable_of(const std::string& text, int64_t& end) {
  const Words words = words_of(text);
  int64_t align = 0, bytes = 0;
  std::string name;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == ".align") {
      align = std::stoll(words[++i]);
    } else if (words[i][0] == '.') {
      if (words[i].size() > 1 && std::isdigit(words[i].back())) bytes = bytes_of(words[i]);
    } else if (name.empty()) {
      name = words[i];
    }
  }
  const size_t bracket = name.find('[');
  if (align == 0) align = bytes;
  if (bracket != std::string::npos) {
    const std::string count = name.substr(bracket + 1, name.find(']') - bracket - 1);
    bytes *= count.empty() ? 0 : std::stoll(count);
    name.resize(bracket);
  }
  end = (end + align - 1) / align * align;
  const Variable variable{end, bytes};
  end += bytes;
  return {name, variable};
}

inline uint64_t number(const std::string& text) {
  if (text.compare(0, 2, "0f") == 0 || text.compare(0, 2, "0d") == 0 ||
      text.compare(0, 2, "0F") == 0 || text.compare(0, 2, "0D") == 0) {
    return std::stoull(text.substr(2), nullptr, 16);
  }
  if (text[0] == '-') return -std::stoull(text.substr(1), nullptr, 0);
  return std::stoull(text, nullptr, 0);
}

}  // namespace ptx
