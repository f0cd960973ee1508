// The schedule on one image, as one member of the team that works on it.
#pragma once

#include "common/phasing.h"
#include "cpu/engine.h"
#include "cpu/engine/axes.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/team.h"
#include "cpu/engine/workspace.h"

namespace symbreak {

template <typename T>
class Solver {
 public:
  Solver(const PhasingTask<T>& task, const EngineStart& start, const Kernels<T>& kernels,
         const Axes<T>& axes, Workspace<T>& workspace, Member member)
      : task_(task),
        start_(start),
        kernels_(kernels),
        axes_(axes),
        workspace_(workspace),
        image_(workspace.image()),
        member_(member) {}

  // Every member of the team calls this for the same images (item * starts + start).
  void run(int64_t index);

 private:
  using Array = T* Image<T>::*;  // state or second

  void load(int64_t index, T scale);
  void load_object(int64_t index, T scale);
  void start_at_random(int64_t index);
  void support_of_autocorrelation();
  void store(int64_t index, T scale) const;
  void iterate(Algorithm algorithm);
  void update_support(int64_t update, int64_t updates);
  T area_threshold(int64_t kept) const;
  T relative_threshold() const;
  // Only the leader's return value means anything.
  double error();

  // target = transform of (inside ? x : outside_gain x) along all axes but the outer one.
  void transform_planes(Array target, T outside_gain) const;
  void project_outer(T* target) const;
  // p = F^-1 state along all axes but the outer one, iterate = inside ? p : keep iterate + project
  // p, and state = transform of that.
  void update_planes(T keep, T project) const;
  // iterate = F^-1 state, and state = transform of that as by transform_planes.
  void set_iterate() const;
  // Calls body(index, plane, first, last) for this member's share: blocks of an image, whole planes
  // of a volume.
  template <typename Body>
  void for_planes(int blocks, const Body& body) const;
  T* line() const { return workspace_.line(member_.rank); }

  const PhasingTask<T>& task_;
  const EngineStart& start_;
  const Kernels<T>& kernels_;
  const Axes<T>& axes_;
  Workspace<T>& workspace_;
  Image<T> image_;  // the arrays of the workspace; see run() for iterate
  const Member member_;
  double measured_power_ = 0;  // sum of squares of the amplitudes
};

}  // namespace symbreak
