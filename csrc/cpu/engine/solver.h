// The schedule on one image, as one member of the team that works on it.
#pragma once

#include <algorithm>

#include "common/phasing.h"
#include "cpu/engine.h"
#include "cpu/engine/axes.h"
#include "cpu/engine/kernels.h"
#include "cpu/engine/team.h"
#include "cpu/engine/workspace.h"

namespace symbreak {

inline constexpr int kLooksPerSweep = 64;  // about, in one sweep along the outer axis of a volume

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
        member_(member) {
    image_.cone = task.cone();
    image_.bounded = task.bounded;
  }

  // Every member of the team calls this for the same images (item * starts + start). False if a
  // stop was requested before the first iteration: then there is no result.
  bool run(int64_t index);

 private:
  using Array = T* Image<T>::*;  // state or second

  // Those that return a bool answer whether a stop was requested, the same for all members; then
  // they may have ended early, but for the iterate and the support, which fit each other.
  bool load(int64_t index, T scale);
  void load_object(int64_t index, T scale);
  bool start_at_random(int64_t index);
  bool support_of_autocorrelation(T zero);
  void store(int64_t index, T scale) const;
  bool walk_schedule(int64_t index);
  bool finish(int64_t index);
  bool iterate(Algorithm algorithm);
  bool update_support(const SupportUpdate& update);
  T area_threshold(int64_t kept) const;
  T relative_threshold(const SupportUpdate& update) const;
  // sum += iterate; and iterate = share sum, with its transform and the support of it.
  void add_iterate(bool first) const;
  bool go_on_from_mean(T share);
  // Only the leader's return value means anything.
  double error();
  // Corrects the amplitudes that image `index` is held to, and refines its variances; at the end
  // neither. `error`, that of the blurred pattern, means something to the leader alone.
  bool correct(int64_t index, bool ends, double& error);
  void prepare_correction(int64_t index, bool ends);

  // target = transform of f x + (1 - f) P_C x along all axes but the outer one.
  void transform_planes(Array target, T f) const;
  void project_outer(T* target) const;
  // iterate = what the rule makes of it and of p = F^-1 state along all axes but the outer one, and
  // state = transform of that.
  void update_planes(const Feedback<T>& rule) const;
  // iterate = F^-1 state, and state = transform of that as by transform_planes.
  bool set_iterate();
  // Calls body(index, plane, first, last) for this member's share: blocks of an image, whole planes
  // of a volume, whose sweeps take so long that it looks in between.
  template <typename Body>
  void for_planes(int blocks, const Body& body) const;
  // Calls body(first, last) for this member's share of the blocks along the outer axis, likewise.
  template <typename Body>
  void for_outer(int blocks, const Body& body) const;
  // All members wait, and have then the same answer to whether a stop was requested.
  bool wait_and_agree();
  T* line() const { return workspace_.line(member_.rank); }

  const PhasingTask<T>& task_;
  const EngineStart& start_;
  const Kernels<T>& kernels_;
  const Axes<T>& axes_;
  Workspace<T>& workspace_;
  Image<T> image_;  // the arrays of the workspace; see run() for iterate
  const Member member_;
  unsigned agreements_ = 0;    // how often its team has agreed
  double measured_power_ = 0;  // sum of squares of the amplitudes
  double scale_ = 1;           // of the amplitudes of the image
};

template <typename T>
template <typename Body>
void Solver<T>::for_planes(int blocks, const Body& body) const {
  if (!image_.is_volume()) return body(0, image_, member_.begin(blocks), member_.end(blocks));
  for (int z = member_.begin(image_.planes); z < member_.end(image_.planes); ++z) {
    body(z, image_.plane(z), 0, blocks);
    Monitor::look(task_.monitor);
  }
}

template <typename T>
template <typename Body>
void Solver<T>::for_outer(int blocks, const Body& body) const {
  const int begin = member_.begin(blocks), end = member_.end(blocks);
  if (!image_.is_volume()) return body(begin, end);
  const int step = std::max(kOuterRun, blocks / kLooksPerSweep / kOuterRun * kOuterRun);
  for (int first = begin; first < end; first += step) {
    body(first, std::min(first + step, end));
    Monitor::look(task_.monitor);
  }
}

}  // namespace symbreak
