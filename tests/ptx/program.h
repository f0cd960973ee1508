// PTX as the interpreter runs it: kernels and functions, their instructions decoded.
//
// A register is a row of 32 values of 8 bytes, one per lane of a warp. Constants, special registers
// and addresses of variables are rows too, filled in before a warp starts, so an instruction only
// knows rows.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace ptx {

// What the kernels did wrong, or what the interpreter does not know.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Frame;
struct Inst;
// Runs an instruction for the lanes of `mask`.
using Run = void (*)(Frame&, const Inst&, uint32_t mask);

enum class Kind : uint8_t {
  kPlain,
  kBranch,
  kReturn,
  kCall,
  kBlockBarrier,
  kClusterBarrier,
  kWarp,  // shuffles, votes, warp barriers: wait for the lanes of their mask
};
enum class Space : uint8_t { kGeneric, kGlobal, kShared, kCluster, kLocal, kParam };

struct Inst {
  Kind kind = Kind::kPlain;
  Run run = nullptr;    // null: not known, a fault when reached
  int guard = -1;       // row of the predicate, or none
  bool unless = false;  // @!p
  std::vector<int> to, from;
  int64_t offset = 0;  // of an address; rounding mode, carry and the like of arithmetic
  Space space = Space::kGeneric;
  int bytes = 0;                          // of an element in memory
  bool is_signed = false, order = false;  // order: a warp barrier, not only an exchange
  bool relaxed = false;                   // an access that may meet others of its kind
  int target = -1;                        // of a branch
  std::string callee;
  int line = 0;  // in the module's text
};

struct Variable {
  int64_t offset = 0, bytes = 0;
};

enum class Special { kThread, kThreads, kBlock, kBlocks, kLane, kRank };

struct Function {
  std::string name;
  std::vector<Inst> code;
  int rows = 1;  // row 0 is the carry
  std::map<int, uint64_t> constants;
  std::map<int, Special> specials;
  std::map<int, std::string> addresses;  // of global variables
  std::vector<Variable> parameters, results;
  int64_t parameter_bytes = 0, local_bytes = 0, most_threads = 1024;
  bool is_kernel = false;
};

inline constexpr int kCarry = 0;
// Shared memory starts here: a zero pointer is no place in it (1 KB is the system's on sm_90).
inline constexpr int64_t kSharedBegin = 1024;
// Where the windows of the generic address space are; process memory is what is global.
inline constexpr uint64_t kSharedWindow = uint64_t{1} << 60, kLocalWindow = uint64_t{1} << 61;

struct Module {
  std::vector<std::string> lines;
  std::map<std::string, Function> functions;
  std::map<std::string, std::vector<unsigned char>> globals;
  std::string shared;  // the name of the dynamic shared memory
};

// Reads the text of a module.
Module parse(const std::string& text);

// What runs an instruction, by its name ("add.s32"); sets what of `inst` the name tells. Null: not
// known.
Run find_run(const std::vector<std::string>& words, Inst& inst);

}  // namespace ptx
