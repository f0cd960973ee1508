// The schedule on one image, as one member of the team that works on it.
#pragma once

#include "common/phasing.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/plan.h"
#include "cpu/engine/team.h"
#include "cpu/engine/workspace.h"

namespace symbreak {

template <typename T>
class Solver {
 public:
  Solver(const PhasingTask<T>& task, const Kernels<T>& kernels, const OwnedPlan<T>& along_rows,
         const OwnedPlan<T>& along_columns, Workspace<T>& workspace, Member member)
      : task_(task),
        kernels_(kernels),
        along_rows_(along_rows),
        along_columns_(along_columns),
        workspace_(workspace),
        image_(workspace.image()),
        member_(member),
        row_blocks_(image_.rows / kernels.lanes),
        column_blocks_(image_.columns / kernels.lanes) {}

  // Every member of the team calls this for the same images (item * starts + start).
  void run(int64_t index);

 private:
  void iterate(Algorithm algorithm);
  void update_support(int64_t update, int64_t updates);
  T area_threshold(int64_t kept) const;
  T relative_threshold() const;
  // Only the leader's return value means anything.
  double error();

  void forward_rows(T* target, T outside_gain) const;
  void project_columns(T* target) const;
  T* line() const { return workspace_.line(member_.rank); }

  const PhasingTask<T>& task_;
  const Kernels<T>& kernels_;
  const OwnedPlan<T>& along_rows_;
  const OwnedPlan<T>& along_columns_;
  Workspace<T>& workspace_;
  const Image<T>& image_;
  const Member member_;
  const int row_blocks_, column_blocks_;
  double measured_power_ = 0;  // sum of squares of the amplitudes
};

}  // namespace symbreak
