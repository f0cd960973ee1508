// The general engine: any size, 2D and 3D, by torch's FFT between fused pointwise passes.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu/fourier.h"
#include "cpu/phasing_pointwise.h"
#include "cpu/phasing_start.h"
#include "cpu/support.h"

namespace symbreak {

// One image through the whole schedule.
template <typename T>
class ImagePhasing {
 public:
  ImagePhasing(const PhasingTask<T>& task, int64_t image)
      : task_(task),
        fourier_(task.grid),
        pixels_(task.grid.pixels()),
        cone_(task.cone()),
        amplitude_(task.amplitude + pixels_ * (image / task.starts)),
        x_(task.object + 2 * pixels_ * image),
        support_(task.support + pixels_ * image),
        error_(task.error + image),
        history_(task.history + task.records() * image) {}

  void run() {
    if (walk_schedule(task_, 1, 1, *this)) *error_ = static_cast<T>(error());
  }

  void iterate(Algorithm algorithm, int64_t) {
    if (algorithm == Algorithm::kDM) {
      Spectrum<T> q = project_relaxed();
      Spectrum<T> p = project_modulus(x_);
      if (cone_.limits) {
        feed_back_limited(x_, p.data(), support_, difference_map_pull<T>(task_.beta), cone_,
                          pixels_);
        subtract(x_, q.data(), T(task_.beta), pixels_);
      } else {
        difference_map(x_, p.data(), q.data(), support_, task_.beta, pixels_);
      }
    } else {
      Spectrum<T> p = project_modulus(x_);
      const Feedback<T> rule = feedback<T>(algorithm, task_.beta);
      if (cone_.limits) {
        feed_back_limited(x_, p.data(), support_, rule, cone_, pixels_);
      } else {
        feed_back(x_, p.data(), support_, rule, pixels_);
      }
    }
  }

  void record(int64_t j) { history_[j] = static_cast<T>(error()); }

  void update_support(const SupportUpdate& update) { shrinkwrap(task_.grid, x_, update, support_); }

  void add_iterate(bool first) {
    if (first) sum_.assign(2 * pixels_, T(0));
    T* const sum = sum_.data();
    const T* const x = x_;
    for_pixels(pixels_, [=](int64_t n) {
      sum[2 * n] += x[2 * n];
      sum[2 * n + 1] += x[2 * n + 1];
    });
  }
  void take_mean(double share) { scale(sum_.data(), T(share), x_, pixels_); }

 private:
  // P_M f_C(x), f_C(x) = x / beta + (1 - 1 / beta) P_C x, which is gone before the other projection
  // takes its memory.
  Spectrum<T> project_relaxed() const {
    std::vector<T> f(2 * pixels_);  // [*grid, 2]
    towards_object(f.data(), x_, support_, T(1 / task_.beta), cone_, pixels_);
    return project_modulus(f.data());
  }

  // P_M x = F^-1( F x, with the measured amplitudes )
  Spectrum<T> project_modulus(const T* x) const {
    Spectrum<T> spectrum = fourier_.forward(x);
    match_amplitude(spectrum.data(), amplitude_, pixels_);
    return fourier_.inverse(spectrum.data());
  }

  // sqrt( sum (|F P_C x| - a)^2 / sum a^2 ) over the measured pixels.
  double error() const {
    std::vector<T> inside(2 * pixels_);  // [*grid, 2]
    towards_object(inside.data(), x_, support_, T(0), cone_, pixels_);
    Spectrum<T> spectrum = fourier_.forward(inside.data());
    return std::sqrt(amplitude_residual(spectrum.data(), amplitude_, pixels_) /
                     amplitude_power(amplitude_, pixels_));
  }

  const PhasingTask<T>& task_;
  const Fourier<T> fourier_;
  const int64_t pixels_;
  const PhaseCone<T> cone_;
  const T* amplitude_;
  T* x_;
  uint8_t* support_;
  T* error_;
  T* history_;
  std::vector<T> sum_;  // of iterates, [*grid, 2]
};

template <typename T>
void run_general(const PhasingTask<T>& task) {
  for_images(task.images(), task.monitor,
             [&](int64_t image) { ImagePhasing<T>(task, image).run(); });
}

}  // namespace symbreak
