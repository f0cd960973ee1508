// Warps, barriers, blocks and clusters.
#include "machine.h"

#include <algorithm>
#include <bit>
#include <climits>
#include <cstdlib>
#include <random>

namespace ptx {
namespace {

uint32_t launches = 0;

uint32_t lanes_mask(int lanes) { return lanes == kLanes ? ~0u : (1u << lanes) - 1; }

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

// SYMBREAK_EMULATED_ORDER: forward, reverse or shuffle:SEED.
class Order {
 public:
  Order() {
    const char* text = std::getenv("SYMBREAK_EMULATED_ORDER");
    if (text != nullptr) kind_ = text;
    if (kind_.rfind("shuffle:", 0) == 0) random_.seed(std::stoul(kind_.substr(8)));
  }
  std::vector<size_t> operator()(size_t count) {
    std::vector<size_t> order(count);
    for (size_t i = 0; i < count; ++i) order[i] = i;
    if (kind_ == "reverse") std::reverse(order.begin(), order.end());
    if (kind_.rfind("shuffle:", 0) == 0) std::shuffle(order.begin(), order.end(), random_);
    return order;
  }

 private:
  std::string kind_ = "forward";
  std::mt19937 random_;
};

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

namespace {

// A cluster of blocks with memory that nothing has set, and its warps.
class RunningCluster {
 public:
  RunningCluster(const Module& module, const Function& kernel, const Shape& shape,
                 const std::vector<unsigned char>& parameters, int64_t first_block, Order& order)
      : kernel_(kernel), shape_(shape), order_(order) {
    const int64_t warps = (shape.threads + kLanes - 1) / kLanes;
    cluster_.blocks.resize(shape.cluster);
    warps_.resize(shape.cluster * warps);
    for (int64_t rank = 0; rank < shape.cluster; ++rank) {
      Block& block = cluster_.blocks[rank];
      block.index = first_block + rank;
      block.rank = rank;
      block.running = warps;
      block.shared.assign(shape.shared_bytes, 0xFF);
      block.set.assign(shape.shared_bytes, 0);
      block.words.resize((shape.shared_bytes + 3) / 4);
      for (int64_t w = 0; w < warps; ++w) {
        Warp& warp = warps_[rank * warps + w];
        warp.cluster = &cluster_;
        warp.block = &block;
        warp.module = &module;
        warp.parameters = &parameters;
        warp.shape = &shape;
        warp.index = int(w);
        warp.lanes = int(std::min<int64_t>(kLanes, shape.threads - w * kLanes));
        warp.launch = launches;
        warp.cluster_index = uint32_t(first_block / shape.cluster);
      }
    }
    for (Warp& warp : warps_) frames_.emplace_back(warp, kernel, lanes_mask(warp.lanes));
  }

  void run() {
    const size_t warps = frames_.size() / shape_.cluster;
    for (;;) {
      for (const size_t i : order_(frames_.size())) {
        if (frames_[i].alive == 0) continue;
        frames_[i].run();
        if (frames_[i].alive == 0 && --frames_[i].warp.block->running == 0)
          end(*frames_[i].warp.block);
      }
      size_t done = 0, for_cluster = 0;
      bool moved = false;
      for (int64_t rank = 0; rank < shape_.cluster; ++rank) {
        Frame* const block = &frames_[rank * warps];
        const int place = common_place(block, warps);
        if (place < 0) {
          ++done;
        } else if (kernel_.code[place].kind == Kind::kClusterBarrier) {
          ++for_cluster;
        } else {
          ++cluster_.blocks[rank].epoch;
          release(block, warps);
          moved = true;
        }
      }
      if (done == size_t(shape_.cluster)) return;
      if (moved) continue;
      if (for_cluster != size_t(shape_.cluster)) {
        throw Fault("blocks wait for others of their cluster that have ended: " + kernel_.name);
      }
      ++cluster_.epoch;
      for (Block& block : cluster_.blocks) ++block.epoch;
      release(frames_.data(), frames_.size());
    }
  }

 private:
  // Another block of the cluster that has read here since the last barrier might as well come
  // later.
  void end(const Block& block) const {
    for (const Word& word : block.words) {
      for (const Access& last : {word.reader, word.writer}) {
        if (last.launch != 0 && last.block != uint32_t(block.index) &&
            last.cluster_epoch == cluster_.epoch) {
          throw Fault("block " + std::to_string(block.index) +
                      " ends while another one may still be in its shared memory: " + kernel_.name);
        }
      }
    }
  }

  // The barrier at which all threads of a block wait; -1 if all have ended.
  int common_place(const Frame* frames, size_t warps) const {
    int place = -1;
    bool ended = false;
    for (size_t w = 0; w < warps; ++w) {
      const Frame& f = frames[w];
      for (int lane = 0; lane < f.warp.lanes; ++lane) {
        const bool waits = f.alive >> lane & 1;
        const bool other = waits && place >= 0 && f.at[lane] != place;
        if (waits) place = f.at[lane];
        ended = ended || !waits;
        if (other || (ended && place >= 0) || (waits && kernel_.code[place].kind == Kind::kWarp)) {
          throw Fault("threads of block " + std::to_string(f.warp.block->index) +
                      " wait for others that do not come, in line " +
                      std::to_string(kernel_.code[place].line) + " (" +
                      f.warp.module->lines.at(kernel_.code[place].line - 1) + "): " + kernel_.name);
        }
      }
    }
    return place;
  }

  void release(Frame* frames, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      Frame& f = frames[i];
      for (int lane = 0; lane < kLanes; ++lane) {
        if (f.alive >> lane & 1) ++f.at[lane];
      }
      f.waiting = 0;
    }
  }

  const Function& kernel_;
  const Shape& shape_;
  Order& order_;
  Cluster cluster_;
  std::vector<Warp> warps_;
  std::vector<Frame> frames_;
};

}  // namespace

void run_grid(const Module& module, const Function& kernel, const Shape& shape, void** arguments) {
  if (shape.threads > kernel.most_threads) {
    throw Fault(std::to_string(shape.threads) + " threads where .maxntid allows " +
                std::to_string(kernel.most_threads) + ": " + kernel.name);
  }
  ++launches;
  std::vector<unsigned char> parameters(kernel.parameter_bytes);
  for (size_t i = 0; i < kernel.parameters.size(); ++i) {
    std::memcpy(&parameters[kernel.parameters[i].offset], arguments[i], kernel.parameters[i].bytes);
  }
  Order order;
  for (const size_t i : order(shape.blocks / shape.cluster)) {
    RunningCluster(module, kernel, shape, parameters, int64_t(i) * shape.cluster, order).run();
  }
}

}  // namespace ptx
