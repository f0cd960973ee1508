// What both ways of running an emulated grid share: its blocks, its limits, its settings.
#include "emulation/grid.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

namespace symbreak {
namespace emulation {
namespace {

constexpr int64_t kGuardBytes = 64;
constexpr int64_t kDefaultSharedBytes = 48 << 10;
constexpr unsigned char kPoison = 0xFF;  // NaN as float and double, -1 as an integer

thread_local const char* last_error = nullptr;
std::mutex limits_mutex;
std::map<const void*, int64_t> limits;  // per kernel, from set_shared_limit

void set_expected(Barrier& barrier, int threads) {
#if defined(SYMBREAK_EMULATION_THREADS)
  pthread_barrier_init(&barrier.barrier, nullptr, threads);
#else
  barrier.expected = threads;
#endif
}

int64_t padded(int64_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace

void prepare(const Launch& shape, Cluster& cluster, std::vector<Thread>& threads) {
  const int warps = (shape.threads + kWarpSize - 1) / kWarpSize;
  cluster.blocks = std::vector<Block>(shape.cluster);
  cluster.warps = std::vector<Warp>(shape.cluster * warps);
  threads.assign(shape.cluster * shape.threads, Thread{});
  set_expected(cluster.barrier, shape.cluster * shape.threads);
  for (int rank = 0; rank < shape.cluster; ++rank) {
    Block& block = cluster.blocks[rank];
    block.rank = rank;
    block.memory.resize((padded(shape.shared_bytes) + kGuardBytes) / sizeof(uint64_t) + 2);
    const auto address = reinterpret_cast<uintptr_t>(block.memory.data());
    block.shared = reinterpret_cast<unsigned char*>((address + 15) / 16 * 16);
    set_expected(block.barrier, shape.threads);
    for (int w = 0; w < warps; ++w) {
      Warp& warp = cluster.warps[rank * warps + w];
      warp.lanes = std::min(kWarpSize, shape.threads - w * kWarpSize);
      set_expected(warp.barrier, warp.lanes);
    }
    for (int i = 0; i < shape.threads; ++i) {
      Thread& thread = threads[rank * shape.threads + i];
      thread.index.x = i;
      thread.lane = i % kWarpSize;
      thread.block = &block;
      thread.warp = &cluster.warps[rank * warps + i / kWarpSize];
      thread.cluster = &cluster;
    }
  }
}

void place(const Launch& shape, int64_t first_block, Cluster& cluster) {
  for (Block& block : cluster.blocks) {
    block.index.x = static_cast<unsigned>(first_block + block.rank);
    std::memset(block.shared, kPoison, padded(shape.shared_bytes) + kGuardBytes);
  }
}

void check_guard(const Launch& shape, const Cluster& cluster) {
  for (const Block& block : cluster.blocks) {
    const unsigned char* guard = block.shared + shape.shared_bytes;
    const int64_t bytes = padded(shape.shared_bytes) - shape.shared_bytes + kGuardBytes;
    for (int64_t i = 0; i < bytes; ++i) {
      if (guard[i] == kPoison) continue;
      std::fprintf(stderr, "emulation: block %u wrote behind its %lld bytes of shared memory\n",
                   block.index.x, static_cast<long long>(shape.shared_bytes));
      std::abort();
    }
  }
}

Order order_from_environment() {
  const char* text = std::getenv("SYMBREAK_EMULATED_ORDER");
  const std::string order = text ? text : "forward";
  if (order == "forward") return {};
  if (order == "reverse") return {Order::kReverse, 0};
  if (order.rfind("shuffle:", 0) == 0) return {Order::kShuffle, std::stoull(order.substr(8))};
  throw std::runtime_error(
      "SYMBREAK_EMULATED_ORDER must be forward, reverse or shuffle:SEED, got '" + order + "'.");
}

const char* exchange_error(const char* error) {
  const char* previous = last_error;
  last_error = error;
  return previous;
}

void allow_shared(const void* kernel, int64_t bytes) {
  const std::lock_guard lock(limits_mutex);
  limits[kernel] = bytes;
}

bool can_launch(const void* kernel, const Launch& shape) {
  int64_t shared = kDefaultSharedBytes;
  {
    const std::lock_guard lock(limits_mutex);
    const auto found = limits.find(kernel);
    if (found != limits.end()) shared = std::max(shared, found->second);
  }
  const char* error = nullptr;
  if (shape.blocks < 1 || shape.blocks >= int64_t{1} << 31 || shape.threads < 1 ||
      shape.threads > 1024 || shape.cluster < 1 || shape.blocks % shape.cluster != 0) {
    error = "invalid configuration argument";
  } else if (shape.cluster > 8) {
    error = "cluster misconfiguration";
  } else if (shape.shared_bytes > std::min(shared, device_properties().shared_bytes)) {
    error = "more shared memory than set_shared_limit or the device allows";
  }
  if (error != nullptr) exchange_error(error);
  return error == nullptr;
}

int64_t clusters_at_once(int blocks) {
  // A cluster stays within one of the groups of 16 or 18 multiprocessors that an H200 is made of.
  constexpr int kGroup = 16;
  return int64_t{device_properties().multiprocessors / kGroup} * (kGroup / blocks);
}

}  // namespace emulation

DeviceProperties device_properties() {
  const char* shared = std::getenv("SYMBREAK_EMULATED_SHARED_BYTES");
  return {shared ? std::atoll(shared) : 227 << 10, 132, 90};
}

}  // namespace symbreak
