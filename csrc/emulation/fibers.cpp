// Runs an emulated grid on one OS thread: the threads of a cluster are fibers, which change places
// at barriers only.
#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>

#include "emulation/grid.h"
#include "emulation/switch_stack.h"

namespace symbreak::emulation {
namespace {

// A stack and the loop that runs threads on it. A thread that meets no barrier leaves it to the
// next one without a change of stacks.
struct Fiber {
  StackState idle;  // where the loop waits for work
  void* memory;
};

class Scheduler {
 public:
  ~Scheduler() {
    for (const auto& fiber : fibers_) munmap(fiber->memory, kStackBytes);
  }

  void run(const Launch& shape, const std::function<void()>& body) {
    body_ = &body;
    const Order order = order_from_environment();
    random_.seed(order.seed);
    kind_ = order.kind;
    prepare(shape, cluster_, threads_);
    std::vector<int64_t> groups(shape.blocks / shape.cluster);
    for (size_t i = 0; i < groups.size(); ++i) groups[i] = i;
    arrange(groups);
    for (const int64_t group : groups) {
      place(shape, group * shape.cluster, cluster_);
      run_cluster();
      check_guard(shape, cluster_);
    }
    current_thread = nullptr;
  }

  void suspend(Barrier& barrier) {
    Thread& self = *current_thread;
    self.state = Thread::kSuspended;
    self.waits_for = &barrier;
    self.generation = barrier.generation;
    StackState here;
    self.stack = &here;
    switch_stack(&here, &scheduler_);
  }

 private:
  static constexpr size_t kStackBytes = 128 << 10;
  static constexpr size_t kPage = 4096;

  template <typename T>
  void arrange(std::vector<T>& order) {
    if (kind_ == Order::kReverse) std::reverse(order.begin(), order.end());
    if (kind_ == Order::kShuffle) std::shuffle(order.begin(), order.end(), random_);
  }

  static bool ready(const Thread& t) {
    return t.state == Thread::kFresh ||
           (t.state == Thread::kSuspended && t.waits_for->generation != t.generation);
  }

  void run_cluster() {
    order_.resize(threads_.size());
    for (size_t i = 0; i < order_.size(); ++i) order_[i] = static_cast<unsigned>(i);
    for (Thread& thread : threads_) thread.state = Thread::kFresh;
    if (kind_ == Order::kReverse) arrange(order_);
    left_ = threads_.size();
    for (bool progress = true; left_ > 0;) {
      if (kind_ == Order::kShuffle) arrange(order_);
      // Shuffled, some warps stand still for a round, so that others run ahead of them.
      held_ = kind_ == Order::kShuffle && progress ? random_() & random_() : 0;
      progress = false;
      for (next_ = 0; next_ < order_.size();) {
        Thread& thread = threads_[order_[next_++]];
        if (!ready(thread) || held(thread)) continue;
        progress = true;
        current_thread = &thread;
        switch_stack(&scheduler_, thread.state == Thread::kFresh
                                      ? &idle_fiber()->idle
                                      : static_cast<StackState*>(thread.stack));
      }
      if (!progress && held_ == 0) deadlock();
    }
  }

  bool held(const Thread& t) const { return held_ >> (&t - threads_.data()) / kWarpSize % 64 & 1; }

  Fiber* idle_fiber() {
    if (idle_.empty()) {
      void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (memory == MAP_FAILED || mprotect(memory, kPage, PROT_NONE) != 0) {
        std::perror("emulation: no memory for a stack");
        std::abort();
      }
      auto fiber = std::make_unique<Fiber>();
      fiber->memory = memory;
      // Tops at different places in their pages, or all stacks would share a few cache lines.
      const size_t offset = fibers_.size() % 61 * 64;
      start_stack(&fiber->idle, static_cast<char*>(memory) + kPage, kStackBytes - kPage - offset,
                  &Scheduler::work);
      idle_.push_back(fiber.get());
      fibers_.push_back(std::move(fiber));
    }
    working_ = idle_.back();
    idle_.pop_back();
    return working_;
  }

  // The loop of a fiber: runs `current_thread`, then as many fresh ones as come next in the round.
  static void work() {
    Scheduler& s = instance();
    Fiber* const self = s.working_;
    for (;;) {
      (*s.body_)();
      current_thread->state = Thread::kDone;
      --s.left_;
      if (s.next_ < s.order_.size()) {
        Thread& next = s.threads_[s.order_[s.next_]];
        if (next.state == Thread::kFresh && !s.held(next)) {
          ++s.next_;
          current_thread = &next;
          continue;
        }
      }
      s.idle_.push_back(self);
      switch_stack(&self->idle, &s.scheduler_);
    }
  }

  [[noreturn]] void deadlock() const {
    std::fprintf(stderr,
                 "emulation: %zu of %zu threads wait at a barrier that the others never reach\n",
                 left_, threads_.size());
    std::abort();
  }

 public:
  static Scheduler& instance() {
    static Scheduler scheduler;
    return scheduler;
  }

 private:
  const std::function<void()>* body_ = nullptr;
  Order::Kind kind_ = Order::kForward;
  std::mt19937_64 random_;
  Cluster cluster_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  size_t next_ = 0, left_ = 0;
  uint64_t held_ = 0;
  StackState scheduler_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::vector<Fiber*> idle_;
  Fiber* working_ = nullptr;
};

}  // namespace

void wait(Barrier& barrier) {
  if (++barrier.arrived < barrier.expected) return Scheduler::instance().suspend(barrier);
  barrier.arrived = 0;
  ++barrier.generation;
}

void run_grid(const Launch& shape, const std::function<void()>& body) {
  static std::mutex one_grid;
  const std::lock_guard lock(one_grid);
  current_grid = {{static_cast<unsigned>(shape.blocks)}, {static_cast<unsigned>(shape.threads)}};
  Scheduler::instance().run(shape, body);
}

}  // namespace symbreak::emulation
