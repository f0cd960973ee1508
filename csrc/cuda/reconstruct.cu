// reconstruct on a GPU: batches of images through the whole schedule, on the current stream,
// without waiting for the device.
#include <type_traits>

#include "common/reconstruct_op.h"
#include "cuda/op.h"
#include "cuda/phasing_choice.h"
#include "cuda/phasing_general.h"
#include "cuda/phasing_start.h"

namespace symbreak {
namespace {

template <typename T>
PhasingBatch<T> make_batch(const PhasingTask<T>& task, const double* power, int64_t first,
                           int64_t images) {
  const int64_t pixels = task.grid.pixels(), from = first * pixels;
  return {images,
          pixels,
          static_cast<unsigned>(first),
          static_cast<unsigned>(task.starts),
          reinterpret_cast<Pixel<T>*>(task.object) + from,
          task.support + from,
          task.amplitude,
          power,
          task.error + first,
          task.history + first * task.records()};
}

template <typename T, typename Engine>
void run(const PhasingTask<T>& task, const PhasingStart& given, PhasingScratch& scratch,
         int64_t images, const T* factor, const double* power) {
  Engine engine(task, scratch, images);
  const Stream stream = scratch.stream();
  const DeviceFourier<T> fourier(task.grid, scratch.like(), images_per_plan(task.grid.pixels()));
  T* const level = scratch.take<T>(images);
  double* const partial =
      scratch.take<double>(images * pieces(task.grid.pixels(), kReducedPerBlock));
  for (int64_t first = 0; first < task.images(); first += images) {
    const auto batch = make_batch(task, power, first, std::min(images, task.images() - first));
    start_batch(stream, fourier, batch, given, task.shrinkwrap.every > 0, factor, level, partial);
    engine.begin(batch);
    if (walk_schedule(task, batch.images, Engine::kLongestRun, engine)) engine.finish();
    for_pixels(stream, batch.images, batch.pixels,
               ScaleImages<T>{batch, batch.x, T(1), factor, true});
    check_launch("reconstruct");
  }
}

struct Cuda {
  using Guard = DeviceGuard;

  template <typename T>
  static void phase(PhasingTask<T>& task, const PhasingStart& given, const Tensor& amplitude,
                    T* marked) {
    PhasingScratch scratch(amplitude);
    const int64_t pixels = task.grid.pixels();
    T* const factor = scratch.take<T>(task.items);
    double* const power = scratch.take<double>(task.items);
    scale_amplitudes(
        scratch, task.items,
        GivenAmplitude<T>{real_data<T>(amplitude), given.valid, given.saturated, pixels}, factor,
        power, marked);
    task.amplitude = marked;
    const Stream stream = scratch.stream();
    for_pixels(stream, 1, task.images(), FillNan<T>{task.error});
    const int64_t records = task.images() * task.records();
    if (records > 0) for_pixels(stream, 1, records, FillNan<T>{task.history});
    const PhasingChoice choice = choose_engine(task);
    if constexpr (std::is_same_v<T, float>) {
      if (choice.engine == PhasingEngine::kOnChip) {
        run<T, OnChipEngine>(task, given, scratch, choice.images, factor, power);
        return;
      }
    }
    const auto runner = choice.engine == PhasingEngine::kTwoPass ? &run<T, TwoPassEngine<T>>
                                                                 : &run<T, GeneralEngine<T>>;
    runner(task, given, scratch, choice.images, factor, power);
  }
};

}  // namespace
}  // namespace symbreak

SYMBREAK_CUDA_LIBRARY(m) {
  m.impl("reconstruct", TORCH_BOX(&symbreak::reconstruct<symbreak::Cuda>));
}
