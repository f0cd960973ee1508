// Blocks and clusters: their warps in turn, barriers among them.
#include <algorithm>
#include <cstdlib>
#include <random>

#include "machine.h"

namespace ptx {
namespace {

uint32_t launches = 0;

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
