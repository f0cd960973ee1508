// The thread that calls run_threads looks around while it waits for the others: on a pool's threads
// and on its own. The others go on waiting until it has looked.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "cpu/engine/team.h"

namespace {

void pool(int count, const std::function<void(int, int)>& part) {
  std::vector<std::thread> others;
  for (int i = 1; i < count; ++i) others.emplace_back([&part, i] { part(i, i + 1); });
  part(0, 1);
  for (std::thread& thread : others) thread.join();
}

bool looks(const symbreak::Threads& threads) {
  const auto caller = std::this_thread::get_id();
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::atomic<int> looked{0};
  const auto body = [&](int rank) {
    if (rank == 0) return;
    while (looked < 2 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  };
  symbreak::run_threads(threads, body,
                        [&] { looked += std::this_thread::get_id() == caller ? 1 : 1000; });
  return looked >= 2 && looked < 1000;
}

}  // namespace

int main() {
  const bool in_pool = looks({3, pool}), alone = looks({3, nullptr});
  std::printf("pool: %d, own threads: %d\n", in_pool, alone);
  return in_pool && alone ? 0 : 1;
}
