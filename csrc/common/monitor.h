// Monitor: how Python watches a running reconstruction, and stops it, from within its call.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace symbreak {

// An op takes numbers, not objects: monitors are found by theirs. 0 is never one.
class Monitor {
 public:
  // Told how many iterations are done, summed over the images; answers whether to go on.
  using Look = std::function<bool(int64_t done)>;
  static constexpr std::chrono::milliseconds kInterval{100};  // from one look to the next, at least

  // The thread that makes the monitor is the one that calls the op and looks.
  static std::shared_ptr<Monitor> create(Look look) {
    auto monitor = std::make_shared<Monitor>(std::move(look));
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

  explicit Monitor(Look look) : look_(std::move(look)) {}
  ~Monitor() {
    const std::lock_guard lock(registry().mutex);
    registry().monitors.erase(id_);
  }

  int64_t id() const { return id_; }
  int64_t done() const { return done_.load(std::memory_order_relaxed); }
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  // Counts iterations of one image, and looks.
  void advance(int64_t iterations) {
    done_.fetch_add(iterations, std::memory_order_relaxed);
    look();
  }

  // Any thread may call it; that of the call looks, if its last look is long enough ago. No other
  // does: Ctrl-C is raised in that one, and a function of Python may take for granted to run where
  // it was handed over.
  void look() {
    if (std::this_thread::get_id() != caller_) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < next_look_ || stopped()) return;
    if (!look_(done())) stop();
    next_look_ = std::chrono::steady_clock::now() + kInterval;
  }

  // The same where there may be nobody who watches.
  static void look(Monitor* monitor) {
    if (monitor != nullptr) monitor->look();
  }

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

  const Look look_;
  const std::thread::id caller_ = std::this_thread::get_id();
  std::chrono::steady_clock::time_point next_look_ = std::chrono::steady_clock::now() + kInterval;
  int64_t id_ = 0;
  std::atomic<int64_t> done_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace symbreak
