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
  int64_t done() const { return done_.load(std::memory_order_relaxed); }
  void advance(int64_t iterations) { done_.fetch_add(iterations, std::memory_order_relaxed); }

  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

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

  int64_t id_ = 0;
  std::atomic<int64_t> done_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace symbreak
