// Images to threads: one image a thread while there are enough, then lines of an image.
#include "cpu/engine.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "cpu/engine/dispatch.h"
#include "cpu/engine/solver.h"

namespace symbreak {
namespace {

template <typename T>
void clear(const PhasingTask<T>& task, int64_t image) {
  const int64_t pixels = task.grid.pixels();
  std::fill_n(task.object + 2 * pixels * image, 2 * pixels, T(0));
  std::fill_n(task.support + pixels * image, pixels, uint8_t{0});
}

// Splits `threads` threads into `teams` teams, which take the images [begin, end) from a queue.
template <typename T>
void run_images(const PhasingTask<T>& task, const EngineStart& start, const Axes<T>& axes,
                int64_t begin, int64_t end, Threads threads, int team_size) {
  const int teams = threads.count / team_size;
  threads.count = teams * team_size;
  struct Team {
    Team(const Axes<T>& axes, int lanes, int size, const PhasingTask<T>& task)
        : workspace(axes, lanes, size, task.blur != nullptr, task.averaged().count > 0),
          barrier(size) {}
    Workspace<T> workspace;
    Barrier barrier;
    int64_t image = 0;
  };
  const Kernels<T>& kernels = selected_kernels<T>();
  std::vector<std::unique_ptr<Team>> all;
  for (int i = 0; i < teams; ++i) {
    all.push_back(std::make_unique<Team>(axes, kernels.lanes, team_size, task));
  }
  std::atomic<int64_t> next{begin};
  const auto work = [&](int thread) {
    Team& team = *all[thread / team_size];
    const Member member{thread % team_size, team_size, &team.barrier};
    Solver<T> solver(task, start, kernels, axes, team.workspace, member);
    for (;;) {
      if (member.leads()) {
        team.image = next.fetch_add(1);
        while (task.monitor != nullptr && task.monitor->stopped() && team.image < end) {
          clear(task, team.image);
          team.image = next.fetch_add(1);
        }
      }
      member.wait();
      if (team.image >= end) return;
      if (!solver.run(team.image) && member.leads()) clear(task, team.image);
    }
  };
  run_threads(threads, work, [&] { Monitor::look(task.monitor); });
}

// SYMBREAK_CPU_ENGINE=general takes the general engine for every grid, to check the other by it.
bool general_is_forced() {
  const char* name = std::getenv("SYMBREAK_CPU_ENGINE");
  return name != nullptr && std::string(name) == "general";
}

}  // namespace

bool has_fused_engine(const Grid& grid) { return engine_supports(grid) && !general_is_forced(); }

bool engine_supports(const Grid& grid) {
  for (int64_t axis = 0; axis < grid.rank; ++axis) {
    if (!axis_transformable(grid.size[grid.axis(axis)])) return false;
  }
  return true;
}

template <typename T>
void run_engine(const PhasingTask<T>& task, const EngineStart& start, const Threads& threads) {
  const int64_t images = task.images();
  const Axes<T> axes(task.grid);
  // Whole rounds of an image a thread; those left over share the threads.
  const int64_t whole = images / threads.count * threads.count;
  if (whole > 0) run_images(task, start, axes, 0, whole, threads, 1);
  const int rest = static_cast<int>(images - whole);
  if (rest == 0) return;
  // No more members than every sweep has work for: planes, or blocks of lines.
  const int64_t lanes = selected_kernels<T>().lanes;
  const int64_t shares = task.grid.rank == 3
                             ? task.grid.size[0]
                             : (std::min(task.grid.size[1], task.grid.size[2]) + lanes - 1) / lanes;
  const int team_size = static_cast<int>(std::min<int64_t>(threads.count / rest, shares));
  run_images(task, start, axes, whole, images, {rest * team_size, threads.pool}, team_size);
}

void for_items(int64_t count, Threads threads, Monitor* monitor,
               const std::function<void(int64_t)>& body) {
  std::atomic<int64_t> next{0};
  const auto serve = [&](int) {
    for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) {
      body(i);
      Monitor::look(monitor);
    }
  };
  threads.count = static_cast<int>(std::min<int64_t>(threads.count, count));
  run_threads(threads, serve, [&] { Monitor::look(monitor); });
}

template void run_engine<float>(const PhasingTask<float>&, const EngineStart&, const Threads&);
template void run_engine<double>(const PhasingTask<double>&, const EngineStart&, const Threads&);

}  // namespace symbreak
