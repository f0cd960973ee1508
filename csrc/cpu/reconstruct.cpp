// reconstruct: phase retrieval from random or given starts, on the engine that suits the grid.
#include <algorithm>
#include <limits>
#include <vector>

#include "common/reconstruct_op.h"
#include "cpu/engine.h"
#include "cpu/large_pages.h"
#include "cpu/phasing_general.h"
#include "cpu/phasing_start.h"

namespace symbreak {
namespace {

Threads threads() {
  const auto pool = [](int count, const std::function<void(int, int)>& part) {
    torch::stable::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
      part(static_cast<int>(begin), static_cast<int>(end));
    });
  };
  return {static_cast<int>(torch::stable::get_num_threads()), pool};
}

template <typename T>
void given_iterate(const PhasingTask<T>& task, const PhasingStart& given, const T* factor) {
  const int64_t pixels = task.grid.pixels();
  const T* initial = static_cast<const T*>(given.initial);
  for_items(task.images(), threads(), task.monitor, [&](int64_t image) {
    const int64_t first = 2 * pixels * image;
    scale(initial + first, factor[image / task.starts], task.object + first, pixels);
  });
}

template <typename T>
void random_iterate(const PhasingTask<T>& task, const PhasingStart& given) {
  const int64_t pixels = task.grid.pixels();
  for_images(task.images(), task.monitor, [&](int64_t image) {
    const int64_t item = image / task.starts, start = given.first_start + image % task.starts;
    random_start(task.grid, task.amplitude + pixels * item, given.seed_of(item), start,
                 task.object + 2 * pixels * image);
  });
}

template <typename T>
void first_support(const PhasingTask<T>& task, const bool* given) {
  const int64_t pixels = task.grid.pixels();
  if (given != nullptr) {
    std::copy_n(given, task.images() * pixels, task.support);
    return;
  }
  for_images(task.items, task.monitor, [&](int64_t item) {
    uint8_t* support = task.support + item * task.starts * pixels;
    autocorrelation_support(task.grid, task.amplitude + item * pixels, task.shrinkwrap.every > 0,
                            support);
    for (int64_t s = 1; s < task.starts; ++s) std::copy_n(support, pixels, support + s * pixels);
  });
}

// The engine makes by itself what it can.
template <typename T>
void run_on_engine(const PhasingTask<T>& task, PhasingStart& given, const T* factor) {
  EngineStart start;
  start.iterate = given.initial == nullptr;
  start.support = start.iterate && given.support == nullptr;
  start.first_start = given.first_start;
  for (int64_t item = 0; item < task.items; ++item) start.seed.push_back(given.seed_of(item));
  if (!start.support) first_support(task, given.support);
  if (!start.iterate) given_iterate(task, given, factor);
  given.release();
  run_engine(task, start, threads());
}

template <typename T>
void run_on_general(const PhasingTask<T>& task, PhasingStart& given, const T* factor) {
  first_support(task, given.support);
  if (given.initial != nullptr) {
    given_iterate(task, given, factor);
  } else {
    random_iterate(task, given);
  }
  given.release();
  run_general(task);
}

// `task` holds everything but the marked amplitude: [items, *grid], room for it.
template <typename T>
void phase(PhasingTask<T>& task, PhasingStart& given, const T* amplitude, T* marked) {
  const int64_t pixels = task.grid.pixels();
  const int64_t real = sizeof(T), bytes = task.images() * pixels * 2 * real;
  advise_large_pages(task.object, bytes, bytes);  // it holds the iterate
  advise_large_pages(marked, task.items * pixels * real);
  std::vector<T> factor(task.items);
  for_items(task.items, threads(), task.monitor, [&](int64_t item) {
    const T* a = amplitude + item * pixels;
    const bool* valid = given.valid == nullptr ? nullptr : given.valid + item * pixels;
    const bool* saturated = given.saturated == nullptr ? nullptr : given.saturated + item * pixels;
    factor[item] = range_factor(a, valid, saturated, pixels);
    mark_measured(a, valid, saturated, factor[item], marked + item * pixels, pixels);
  });
  task.amplitude = marked;
  task.bounded = given.saturated != nullptr;
  BlurRule blur;
  std::vector<double> dark;
  if (task.blur != nullptr) {
    STD_TORCH_CHECK(has_fused_engine(task.grid),
                    "reconstruct_blurred: the grid has no fused transforms, see has_fused_engine.");
    blur = *task.blur;
    for (int64_t item = 0; blur.dark != nullptr && item < task.items; ++item) {
      dark.push_back(blur.dark[item] * double(factor[item]));
    }
    if (blur.dark != nullptr) blur.dark = dark.data();
    task.blur = &blur;
  }
  std::fill_n(task.error, task.images(), std::numeric_limits<T>::quiet_NaN());
  std::fill_n(task.history, task.images() * task.records(), std::numeric_limits<T>::quiet_NaN());
  if (has_fused_engine(task.grid)) {
    run_on_engine(task, given, factor.data());
  } else {
    run_on_general(task, given, factor.data());
  }
  for_items(task.images(), threads(), task.monitor, [&](int64_t image) {
    T* x = task.object + 2 * pixels * image;
    scale(x, 1 / factor[image / task.starts], x, pixels);
  });
}

struct Cpu {
  struct Guard {
    explicit Guard(const Tensor&) {}
  };
  template <typename T>
  static void phase(PhasingTask<T>& task, PhasingStart& given, const Tensor& amplitude, T* marked) {
    symbreak::phase<T>(task, given, real_data<T>(amplitude), marked);
  }
};

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("reconstruct", TORCH_BOX(&symbreak::reconstruct<symbreak::Cpu>));
  m.impl("reconstruct_blurred", TORCH_BOX(&symbreak::reconstruct_blurred<symbreak::Cpu>));
}
