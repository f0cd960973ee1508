// Images to threads: one image a thread while there are enough, then lines of an image.
#include "../engine.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "dispatch.h"
#include "solver.h"

namespace symbreak {
namespace {

// Splits `threads` threads into `teams` teams, which take the images [begin, end) from a queue.
template <typename T>
void run_images(const EngineTask<T>& task, const OwnedPlan<T>& along_rows,
                const OwnedPlan<T>& along_columns, int64_t begin, int64_t end, int teams,
                int team_size) {
  struct Team {
    Team(const OwnedPlan<T>& rows, const OwnedPlan<T>& columns, int lanes, int size)
        : workspace(rows.plan(), columns.plan(), lanes, size), barrier(size) {}
    Workspace<T> workspace;
    Barrier barrier;
    int64_t image = 0;
  };
  const Kernels<T>& kernels = selected_kernels<T>();
  std::vector<std::unique_ptr<Team>> all;
  for (int i = 0; i < teams; ++i) {
    all.push_back(std::make_unique<Team>(along_rows, along_columns, kernels.lanes, team_size));
  }
  std::atomic<int64_t> next{begin};
  run_threads(teams * team_size, [&](int thread) {
    Team& team = *all[thread / team_size];
    const Member member{thread % team_size, team_size, &team.barrier};
    Solver<T> solver(task, kernels, along_rows, along_columns, team.workspace, member);
    for (;;) {
      if (member.leads()) {
        team.image = next.fetch_add(1);
        const bool stop = task.monitor && std::atomic_ref<int64_t>(task.monitor[1]).load() != 0;
        if (stop) team.image = end;
      }
      member.wait();
      if (team.image >= end) return;
      solver.run(team.image);
    }
  });
}

}  // namespace

bool engine_supports(int64_t rows, int64_t columns) {
  return axis_supported(rows) && axis_supported(columns);
}

template <typename T>
void engine_run(const EngineTask<T>& task) {
  const OwnedPlan<T> along_rows(static_cast<int>(task.columns));
  const OwnedPlan<T> along_columns(static_cast<int>(task.rows));
  const int64_t images = task.items * task.starts;
  const int threads = std::max(task.threads, 1);
  // Whole rounds of an image a thread; those left over share the threads.
  const int64_t whole = images / threads * threads;
  if (whole > 0) run_images(task, along_rows, along_columns, 0, whole, threads, 1);
  const int rest = static_cast<int>(images - whole);
  if (rest == 0) return;
  const int64_t blocks = std::min(task.rows, task.columns) / selected_kernels<T>().lanes;
  const int team_size = static_cast<int>(std::min<int64_t>(threads / rest, blocks));
  run_images(task, along_rows, along_columns, whole, images, rest, team_size);
}

template void engine_run<float>(const EngineTask<float>&);
template void engine_run<double>(const EngineTask<double>&);

}  // namespace symbreak
