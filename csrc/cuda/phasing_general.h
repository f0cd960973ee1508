// The general engine: any size, 2D and 3D, by torch's FFT between fused pointwise kernels.
#pragma once

#include "cuda/fourier.h"
#include "cuda/phasing_mean.h"
#include "cuda/phasing_pointwise.h"
#include "cuda/phasing_support.h"

namespace symbreak {

template <typename T>
class GeneralEngine {
 public:
  static constexpr int64_t kLongestRun = 1;  // iterations between two looks at a requested stop

  // Scratch for batches of at most `images`, whose bits do not depend on how many they are.
  GeneralEngine(const PhasingTask<T>& task, PhasingScratch& scratch, int64_t images)
      : task_(task),
        stream_(scratch.stream()),
        fourier_(task.grid, scratch.like(), images),
        gain_(T(1.0 / double(task.grid.pixels()))),
        cone_(task.cone()),
        sum_(task, scratch, images),
        work_(scratch.take<Pixel<T>>(images * task.grid.pixels())),
        transfer_(scratch.take<T>(task.grid.size[0] + task.grid.size[1] + task.grid.size[2])),
        level_(scratch.take<T>(images)),
        partial_(scratch.take<double>(images * pieces(task.grid.pixels(), kReducedPerBlock))) {}

  void begin(const PhasingBatch<T>& batch) { batch_ = batch; }

  void iterate(Algorithm algorithm, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      const Tensor p = project_modulus(batch_.x);
      if (algorithm == Algorithm::kDM) {
        apply(towards_object_update<T>(1 / task_.beta, cone_), nullptr, work_);
        const Tensor q = project_modulus(work_);
        apply(difference_map_first<T>(task_.beta, cone_), pixel_data<T>(p), batch_.x);
        apply(difference_map_second<T>(task_.beta), pixel_data<T>(q), batch_.x);
      } else {
        apply(feed_back_update<T>(algorithm, task_.beta, cone_), pixel_data<T>(p), batch_.x);
      }
    }
  }

  void record(int64_t j) { write_error(batch_.history + j, task_.records()); }
  void finish() { write_error(batch_.error, 1); }

  void add_iterate(bool first) { sum_.add(batch_, first); }
  void take_mean(double share) { sum_.take_mean(batch_, share); }

  void update_support(const SupportUpdate& update) {
    const Grid& grid = task_.grid;
    for_pixels(stream_, 1, grid.size[0] + grid.size[1] + grid.size[2],
               FillTransfer<T>{grid, update.sigma, transfer_});
    each_pixel(TakeModulus<T>{batch_, work_});
    const Tensor spectrum = fourier_(work_, batch_.images, Direction::kForward);
    each_pixel(ApplyTransfer<T>{grid, transfer_, mutable_pixel_data<T>(spectrum), gain_});
    const Tensor blurred = fourier_(pixel_data<T>(spectrum), batch_.images, Direction::kInverse);
    select_support(stream_, batch_, BrightImages<T>{real_data<T>(blurred), batch_.pixels, 2},
                   update, level_, partial_);
  }

 private:
  template <typename Body>
  void each_pixel(const Body& body) const {
    for_pixels(stream_, batch_.images, batch_.pixels, body);
  }

  void apply(const Update<T>& rule, const Pixel<T>* p, Pixel<T>* y) const {
    each_pixel(ApplyUpdate<T>{batch_, rule, p, y});
  }

  // P_M x
  Tensor project_modulus(const Pixel<T>* x) const {
    const Tensor spectrum = fourier_(x, batch_.images, Direction::kForward);
    each_pixel(MatchAmplitude<T>{batch_, mutable_pixel_data<T>(spectrum), gain_});
    return fourier_(pixel_data<T>(spectrum), batch_.images, Direction::kInverse);
  }

  void write_error(T* out, int64_t stride) {
    apply(towards_object_update<T>(0, cone_), nullptr, work_);
    const Tensor spectrum = fourier_(work_, batch_.images, Direction::kForward);
    reduce_images<Sum>(stream_, batch_.images, batch_.pixels,
                       AmplitudeResidual<T>{batch_, pixel_data<T>(spectrum)},
                       WriteError<T>{batch_, out, stride}, partial_);
  }

  const PhasingTask<T>& task_;
  const Stream stream_;
  const DeviceFourier<T> fourier_;
  const T gain_;
  const PhaseCone<T> cone_;
  PhasingBatch<T> batch_{};
  const IterateSum<T> sum_;
  Pixel<T>* const work_;  // [images, *grid]
  T* const transfer_;     // of the blur along each axis
  T* const level_;        // [images]
  double* const partial_;
};

}  // namespace symbreak
