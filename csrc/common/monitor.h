// Monitor: how a thread of Python watches a running reconstruction, and stops it.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

namespace symbreak {

// An op takes numbers, not objects: monitors are found by theirs. 0 is never one.
class Monitor {
 public:
  static std::shared_ptr<Monitor> create() {
    auto monitor = std::make_shared<Monitor>();
    const std::lock_guard lock(registry().mutex);
    monitor->id_ = ++registry().last;
    registry().monitors[monitor->id_] = monitor;
    return monitor;
  }

  static std::shared_ptr<Monitor> find(int64_t id) {
    const std::lock_guard lock(registry().mutex);
    const auto entry = registry().monitors.find(id);
    return entry == registry().monitors.end() ? nullptr : entry->second.lock();
  }

  ~Monitor() {
    const std::lock_guard lock(registry().mutex);
    registry().monitors.erase(id_);
  }

  int64_t id() const { return id_; }

  // Iterations done, summed over the images.
  int64_t done() { return counter(0).load(std::memory_order_relaxed); }
  void advance(int64_t iterations) { counter(0).fetch_add(iterations, std::memory_order_relaxed); }

  bool stopped() { return counter(1).load(std::memory_order_relaxed) != 0; }
  void stop() { counter(1).store(1, std::memory_order_relaxed); }

  // [iterations done, stop requested], to be read and written as atomics.
  int64_t* state() { return state_; }

 private:
  struct Registry {
    std::mutex mutex;
    std::map<int64_t, std::weak_ptr<Monitor>> monitors;
    int64_t last = 0;
  };
  static Registry& registry() {
    static Registry* const the_registry = new Registry;  // outlives the monitors Python still holds
    return *the_registry;
  }

  std::atomic_ref<int64_t> counter(int i) { return std::atomic_ref<int64_t>(state_[i]); }

  int64_t id_ = 0;
  int64_t state_[2] = {0, 0};
};

}  // namespace symbreak
