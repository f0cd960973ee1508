// From PTX text to decoded instructions.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <sstream>

#include "program.h"
#include "text.h"

namespace ptx {
namespace {

class FunctionParser {
 public:
  FunctionParser(Module& module, Function& function) : module_(module), function_(function) {
    scopes_.emplace_back();
  }

  void parameter(const std::string& text, std::vector<Variable>& list) {
    const auto [name, variable] = variable_of(text, function_.parameter_bytes);
    list.push_back(variable);
    names_[name] = variable.offset;
    variables_[name] = variable;
  }

  void open() { scopes_.emplace_back(); }
  void close() { scopes_.pop_back(); }
  void label(const std::string& name) { labels_[name] = int(function_.code.size()); }

  void declare(const std::string& text) {
    const Words words = words_of(text);
    if (words[0] == ".reg") {
      for (const std::string& name :
           split(trimmed(text.substr(text.find(words[1]) + words[1].size())), ',')) {
        const size_t bracket = name.find('<');
        if (bracket == std::string::npos) {
          scopes_.back()[name] = function_.rows++;
        } else {
          const int count = std::stoi(name.substr(bracket + 1));
          const std::string stem = name.substr(0, bracket);
          for (int i = 0; i < count; ++i)
            scopes_.back()[stem + std::to_string(i)] = function_.rows++;
        }
      }
    } else if (words[0] == ".local") {
      const auto [name, variable] = variable_of(text, function_.local_bytes);
      names_[name] = variable.offset;
    } else if (words[0] == ".param") {
      const auto [name, variable] = variable_of(text, function_.parameter_bytes);
      names_[name] = variable.offset;
      variables_[name] = variable;
    } else if (words[0] == ".shared") {
      throw Fault("static shared memory is not known here: " + text);
    }
  }

  void instruction(std::string text, int line) {
    Inst inst;
    inst.line = line;
    if (text[0] == '@') {
      inst.unless = text[1] == '!';
      const size_t space = text.find_first_of(" \t");
      inst.guard = row(trimmed(text.substr(inst.unless ? 2 : 1, space - (inst.unless ? 2 : 1))));
      text = trimmed(text.substr(space));
    }
    const size_t space = text.find_first_of(" \t\n");
    const Words name = split(text.substr(0, space), '.');
    const std::string rest = space == std::string::npos ? "" : text.substr(space);
    Words operands = split(rest, ',');
    if (name[0] == "bra") {
      inst.kind = Kind::kBranch;
      jumps_.emplace_back(function_.code.size(), operands[0]);
    } else if (name[0] == "ret" || name[0] == "exit") {
      inst.kind = Kind::kReturn;
    } else if (name[0] == "call") {
      call(inst, operands);
    } else {
      inst.run = find_run(name, inst);
      for (size_t i = 0; i < operands.size(); ++i) {
        operand(inst, operands[i], i == 0 && name[0] != "st" && name[0] != "bar");
      }
    }
    function_.code.push_back(inst);
  }

  void finish() {
    for (const auto& [at, label] : jumps_) {
      const auto found = labels_.find(label);
      if (found == labels_.end()) throw Fault("no label " + label);
      function_.code[at].target = found->second;
    }
    Inst end;
    end.kind = Kind::kReturn;
    function_.code.push_back(end);
  }

 private:
  // The row of a register, a number, a special register or the address of a variable.
  int row(const std::string& name) {
    if (name == "_") return function_.rows++;
    for (size_t i = scopes_.size(); i-- > 0;) {
      const auto found = scopes_[i].find(name);
      if (found != scopes_[i].end()) return found->second;
    }
    const auto known = shared_rows_.find(name);
    if (known != shared_rows_.end()) return known->second;
    const int row = shared_rows_[name] = function_.rows++;
    static const std::map<std::string, Special> specials = {
        {"%tid.x", Special::kThread},  {"%ntid.x", Special::kThreads},
        {"%ctaid.x", Special::kBlock}, {"%nctaid.x", Special::kBlocks},
        {"%laneid", Special::kLane},   {"%cluster_ctarank", Special::kRank}};
    const auto special = specials.find(name);
    if (special != specials.end()) {
      function_.specials[row] = special->second;
    } else if (std::isdigit(name[0]) || name[0] == '-') {
      function_.constants[row] = number(name);
    } else if (names_.count(name)) {
      function_.constants[row] = names_[name];
    } else if (module_.globals.count(name)) {
      function_.addresses[row] = name;
    } else if (name == module_.shared) {
      function_.constants[row] = kSharedBegin;
    } else {
      throw Fault("unknown name " + name);
    }
    return row;
  }

  void operand(Inst& inst, const std::string& text, bool destination) {
    std::vector<int>& list = destination ? inst.to : inst.from;
    if (text[0] == '{') {
      for (const std::string& part : split(text.substr(1, text.size() - 2), ',')) {
        list.push_back(row(part));
      }
    } else if (text[0] == '[') {
      std::string inner = trimmed(text.substr(1, text.size() - 2));
      const size_t plus = inner.find('+');
      if (plus != std::string::npos) {
        inst.offset = int64_t(number(trimmed(inner.substr(plus + 1))));
        inner = trimmed(inner.substr(0, plus));
      }
      inst.from.push_back(row(inner));
    } else if (const size_t bar = text.find('|'); bar != std::string::npos && destination) {
      list.push_back(row(text.substr(0, bar)));
      list.push_back(row(text.substr(bar + 1)));
    } else {
      list.push_back(row(text));
    }
  }

  // (retval0), function, (param0, ...): offsets of the caller's variables.
  void call(Inst& inst, const Words& operands) {
    inst.kind = Kind::kCall;
    bool named = false;
    for (const std::string& text : operands) {
      if (text[0] != '(') {
        inst.callee = text;
        named = true;
        continue;
      }
      for (const std::string& name : split(text.substr(1, text.size() - 2), ',')) {
        (named ? inst.from : inst.to).push_back(int(variables_.at(name).offset));
      }
    }
  }

  Module& module_;
  Function& function_;
  std::vector<std::map<std::string, int>> scopes_;
  std::map<std::string, int> shared_rows_, labels_;
  std::map<std::string, int64_t> names_;
  std::map<std::string, Variable> variables_;
  std::vector<std::pair<size_t, std::string>> jumps_;
};

// .global .align 8 .b8 name[16] = {1, 2, ...};
void global_variable(Module& module, const std::string& text) {
  const size_t equals = text.find('=');
  int64_t end = 0;
  const auto [name, variable] = variable_of(text.substr(0, equals), end);
  std::vector<unsigned char>& bytes = module.globals[name];
  bytes.resize(variable.bytes);
  if (equals == std::string::npos) return;
  const std::string list = trimmed(text.substr(equals + 1));
  const int64_t each = bytes_of(words_of(text.substr(0, text.find(name))).back());
  size_t at = 0;
  for (const std::string& value : split(list.substr(1, list.size() - 2), ',')) {
    const uint64_t bits = number(value);
    std::memcpy(&bytes.at(at), &bits, each);
    at += each;
  }
}

std::string without_comments(const std::string& text) {
  std::string kept;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "//") == 0) {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (text.compare(i, 2, "/*") == 0) {
      for (i += 2; text.compare(i, 2, "*/") != 0; ++i) {
        if (text[i] == '\n') kept += '\n';
      }
      ++i;
      continue;
    }
    if (i < text.size()) kept += text[i];
  }
  return kept;
}

class ModuleParser {
 public:
  explicit ModuleParser(const std::string& text) : text_(without_comments(text)) {
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) module_.lines.push_back(line);
  }

  Module run() {
    while (skip_space(), at_ < text_.size()) {
      if (starts(".version") || starts(".target") || starts(".address_size")) {
        take_until("\n");
        continue;
      }
      const std::string head = take_until("{;");
      const char end = text_[at_++];
      const bool function =
          head.find(".entry") != std::string::npos || head.find(".func") != std::string::npos;
      if (function && end == '{') {
        body(head);
      } else if (!function && head.find(".global") == 0) {
        std::string whole = head;
        if (end == '{') whole += "{" + take_until(";"), ++at_;
        global_variable(module_, trimmed(whole));
      } else if (head.find(".extern .shared") == 0) {
        int64_t none = 0;
        module_.shared = variable_of(head.substr(7), none).first;
      }
    }
    return std::move(module_);
  }

 private:
  void body(const std::string& head) {
    const bool kernel = head.find(".entry") != std::string::npos;
    // [result] name (parameters) directives
    std::string rest =
        trimmed(head.substr(head.find(kernel ? ".entry" : ".func") + (kernel ? 6 : 5)));
    std::string results;
    if (rest[0] == '(') {
      const size_t close = rest.find(')');
      results = rest.substr(1, close - 1);
      rest = trimmed(rest.substr(close + 1));
    }
    const size_t open = rest.find('(');
    std::string parameters, directives;
    std::string name = rest;
    if (open != std::string::npos) {
      name = trimmed(rest.substr(0, open));
      const size_t close = rest.find(')', open);
      parameters = rest.substr(open + 1, close - open - 1);
      directives = rest.substr(close + 1);
    }
    Function& function = module_.functions[name];
    function = Function{};
    function.name = name;
    function.is_kernel = kernel;
    const size_t bound = directives.find(".maxntid");
    if (bound != std::string::npos)
      function.most_threads = std::stoll(directives.substr(bound + 8));
    FunctionParser parser(module_, function);
    for (const std::string& p : split(results, ',')) parser.parameter(p, function.results);
    for (const std::string& p : split(parameters, ',')) parser.parameter(p, function.parameters);
    for (int depth = 1; depth > 0;) {
      skip_space();
      const char c = text_.at(at_);
      if (c == '{') {
        ++depth, ++at_;
        parser.open();
        continue;
      }
      if (c == '}') {
        --depth, ++at_;
        if (depth > 0) parser.close();
        continue;
      }
      const int line = line_;
      std::string statement = take_statement();
      if (statement.back() == ':') {
        parser.label(trimmed(statement.substr(0, statement.size() - 1)));
      } else if (statement[0] == '.') {
        parser.declare(statement);
      } else {
        parser.instruction(statement, line);
      }
    }
    parser.finish();
  }

  // Up to ';', or a label with its ':'.
  std::string take_statement() {
    std::string statement;
    for (;; ++at_) {
      const char c = text_.at(at_);
      if (c == '\n') ++line_;
      if (c == ';') {
        ++at_;
        return trimmed(statement);
      }
      statement += c;
      if (c == ':' && statement.find_first_of(" \t\n.") == std::string::npos) {
        ++at_;
        return statement;
      }
    }
  }

  void skip_space() {
    for (; at_ < text_.size() && std::isspace(text_[at_]); ++at_) line_ += text_[at_] == '\n';
  }
  bool starts(const char* word) const { return text_.compare(at_, std::strlen(word), word) == 0; }
  std::string take_until(const char* ends) {
    const size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    std::string taken = text_.substr(at_, end - at_);
    line_ += int(std::count(taken.begin(), taken.end(), '\n'));
    at_ = end;
    return taken;
  }

  Module module_;
  std::string text_;
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

Module parse(const std::string& text) { return ModuleParser(text).run(); }

}  // namespace ptx
