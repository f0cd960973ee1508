// A warp: its lanes in turn, exchanges among them, calls.
#include <algorithm>
#include <bit>
#include <climits>

#include "machine.h"

namespace ptx {
namespace {

uint64_t special_value(const Warp& warp, Special what, int lane) {
  switch (what) {
    case Special::kThread:
      return warp.index * kLanes + lane;
    case Special::kThreads:
      return warp.shape->threads;
    case Special::kBlock:
      return warp.block->index;
    case Special::kBlocks:
      return warp.shape->blocks;
    case Special::kLane:
      return lane;
    case Special::kRank:
      return warp.block->rank;
  }
  return 0;
}

}  // namespace

Frame::Frame(Warp& on, const Function& what, uint32_t lanes)
    : warp(on), function(what), values(what.rows), set(what.rows, 0), alive(lanes) {
  for (auto& row : values) row.fill(~uint64_t{0});
  for (const auto& [row, value] : what.constants) {
    values[row].fill(value);
    set[row] = ~0u;
  }
  for (const auto& [row, name] : what.addresses) {
    values[row].fill(reinterpret_cast<uint64_t>(on.module->globals.at(name).data()));
    set[row] = ~0u;
  }
  for (const auto& [row, special] : what.specials) {
    for (int lane = 0; lane < kLanes; ++lane) values[row][lane] = special_value(on, special, lane);
    set[row] = ~0u;
  }
  local.assign(kLanes * what.local_bytes, 0xFF);
  local_set.assign(kLanes * what.local_bytes, 0);
  parameters.assign(kLanes * what.parameter_bytes, 0xFF);
}

void Frame::fault(const Inst& inst, int lane, const std::string& what) const {
  std::string where = function.name + ", line " + std::to_string(inst.line) + " (" +
                      (inst.line > 0 ? warp.module->lines.at(inst.line - 1) : "") + "), block " +
                      std::to_string(warp.block->index) + ", warp " + std::to_string(warp.index);
  if (lane >= 0) where += ", thread " + std::to_string(warp.index * kLanes + lane);
  throw Fault(what + ": " + where);
}

// Ends when no lane can go on. The lanes that are behind go first, so that lanes meet again.
void Frame::run() {
  const auto& code = function.code;
  for (;;) {
    const uint32_t ready = alive & ~waiting;
    if (ready == 0) return;
    int pc = INT_MAX, limit = INT_MAX;
    for (uint32_t rest = ready; rest != 0; rest &= rest - 1) {
      pc = std::min(pc, at[std::countr_zero(rest)]);
    }
    uint32_t mask = 0;
    for (uint32_t rest = ready; rest != 0; rest &= rest - 1) {
      const int lane = std::countr_zero(rest);
      if (at[lane] == pc) {
        mask |= 1u << lane;
      } else {
        limit = std::min(limit, at[lane]);
      }
    }
    const auto all_to = [&](uint32_t lanes, int place) {
      for (; lanes != 0; lanes &= lanes - 1) at[std::countr_zero(lanes)] = place;
    };
    bool together = true;
    while (together && pc < limit) {
      const Inst& inst = code[pc];
      uint32_t active = mask;
      if (inst.guard >= 0) {
        if ((set[inst.guard] & mask) != mask)
          fault(inst, std::countr_zero(mask & ~set[inst.guard]),
                "a condition that nothing has set");
        const auto& condition = values[inst.guard];
        for (uint32_t rest = mask; rest != 0; rest &= rest - 1) {
          const int lane = std::countr_zero(rest);
          if ((condition[lane] != 0) == inst.unless) active &= ~(1u << lane);
        }
      }
      switch (inst.kind) {
        case Kind::kPlain:
          if (active != 0) step_alone(inst, active);
          ++pc;
          break;
        case Kind::kCall:
          if (active != 0) call(inst, active);
          ++pc;
          break;
        case Kind::kBranch:
          if (active == mask) {
            pc = inst.target;
            all_to(mask, pc);
            together = (alive & ~waiting) == mask;  // else whoever is behind goes first
          } else if (active == 0) {
            ++pc;
          } else {
            all_to(active, inst.target);
            all_to(mask & ~active, pc + 1);
            together = false;
          }
          break;
        case Kind::kReturn:
          alive &= ~active;
          all_to(mask & ~active, pc + 1);
          together = false;
          break;
        case Kind::kBlockBarrier:
        case Kind::kClusterBarrier:
          if (active != mask) fault(inst, -1, "a barrier for some lanes only");
          if (!function.is_kernel) fault(inst, -1, "a barrier within a function");
          all_to(mask, pc);
          waiting |= mask;
          together = false;
          break;
        case Kind::kWarp:
          if (active != mask) fault(inst, -1, "an exchange for some lanes only");
          meet(inst, pc, mask);
          together = false;
          break;
      }
    }
    if (together) all_to(mask, pc);
  }
}

void Frame::step_alone(const Inst& inst, uint32_t mask) {
  if (inst.run == nullptr) fault(inst, -1, "an instruction that is not known here");
  try {
    inst.run(*this, inst, mask);
  } catch (const Fault& found) {
    fault(inst, -1, found.what());
  }
}

// An exchange happens when all the lanes of its mask have come; its last operand.
void Frame::meet(const Inst& inst, int pc, uint32_t mask) {
  uint32_t here = mask;
  for (uint32_t rest = waiting; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    if (at[lane] == pc) here |= 1u << lane;
  }
  bool complete = true;
  for (uint32_t rest = here; rest != 0; rest &= rest - 1) {
    const int lane = std::countr_zero(rest);
    const int row = inst.from.back();
    if ((set[row] >> lane & 1) == 0) fault(inst, lane, "a mask that nothing has set");
    const auto wanted = static_cast<uint32_t>(values[row][lane]);
    if ((wanted >> lane & 1) == 0) fault(inst, lane, "a lane that its own mask leaves out");
    if ((wanted & ~lanes_mask(warp.lanes)) != 0)
      fault(inst, lane, "a mask of lanes that the block has not");
    if ((wanted & ~alive) != 0) fault(inst, lane, "a mask of lanes that have ended");
    complete = complete && (wanted & ~here) == 0;
  }
  for (uint32_t rest = here; rest != 0; rest &= rest - 1) {
    at[std::countr_zero(rest)] = complete ? pc + 1 : pc;
  }
  if (complete) {
    step_alone(inst, here);
    waiting &= ~here;
  } else {
    waiting |= here;
  }
}

void Frame::call(const Inst& inst, uint32_t mask) {
  const auto found = warp.module->functions.find(inst.callee);
  if (found == warp.module->functions.end()) fault(inst, -1, "an unknown function");
  const Function& callee = found->second;
  Frame inner(warp, callee, mask);
  const auto copy = [&](Frame& to, int64_t to_offset, const Frame& from, int64_t from_offset,
                        int64_t bytes) {
    for (int lane = 0; lane < kLanes; ++lane) {
      std::memcpy(&to.parameters[lane * to.function.parameter_bytes + to_offset],
                  &from.parameters[lane * from.function.parameter_bytes + from_offset], bytes);
    }
  };
  for (size_t i = 0; i < inst.from.size(); ++i) {
    const Variable& variable = callee.parameters.at(i);
    copy(inner, variable.offset, *this, inst.from[i], variable.bytes);
  }
  inner.run();
  if (inner.alive != 0) fault(inst, -1, "lanes that wait for each other within a function");
  for (size_t i = 0; i < inst.to.size(); ++i) {
    const Variable& variable = callee.results.at(i);
    copy(*this, inst.to[i], inner, variable.offset, variable.bytes);
  }
}

}  // namespace ptx
