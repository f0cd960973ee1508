// Images to threads: one image a thread while there are enough, then lines of an image.
#include "cpu/engine.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <vector>

#include "cpu/engine/dispatch.h"
#include "cpu/engine/solver.h"

namespace symbreak {
namespace {

// Splits `threads` threads into `teams` teams, which take the images [begin, end) from a queue.
template <typename T>
void run_images(const PhasingTask<T>& task, const OwnedPlan<T>& along_rows,
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
        if (task.monitor != nullptr && task.monitor->stopped()) team.image = end;
      }
      member.wait();
      if (team.image >= end) return;
      solver.run(team.image);
    }
  });
}

}  // namespace

bool engine_supports(const Grid& grid) {
  return grid.rank == 2 && axis_supported(grid.size[1]) && axis_supported(grid.size[2]);
}

template <typename T>
void run_engine(const PhasingTask<T>& task, int threads) {
  const int64_t rows = task.grid.size[1], columns = task.grid.size[2], images = task.images();
  const OwnedPlan<T> along_rows(static_cast<int>(columns));
  const OwnedPlan<T> along_columns(static_cast<int>(rows));
  // Whole rounds of an image a thread; those left over share the threads.
  const int64_t whole = images / threads * threads;
  if (whole > 0) run_images(task, along_rows, along_columns, 0, whole, threads, 1);
  const int rest = static_cast<int>(images - whole);
  if (rest == 0) return;
  const int64_t blocks = std::min(rows, columns) / selected_kernels<T>().lanes;
  const int team_size = static_cast<int>(std::min<int64_t>(threads / rest, blocks));
  run_images(task, along_rows, along_columns, whole, images, rest, team_size);
}

template void run_engine<float>(const PhasingTask<float>&, int);
template void run_engine<double>(const PhasingTask<double>&, int);

}  // namespace symbreak
