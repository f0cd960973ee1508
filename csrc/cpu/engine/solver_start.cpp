// What the iteration of an image begins with: its amplitudes, the first iterate and support.
#include <algorithm>
#include <numeric>

#include "common/phasing_start.h"
#include "cpu/engine/layout.h"
#include "cpu/engine/solver.h"

namespace symbreak {

template <typename T>
void Solver<T>::load_object(int64_t index, T scale) {
  const int64_t pixels = task_.grid.pixels(), plane_pixels = pixels / image_.planes;
  const T* object = task_.object + index * 2 * pixels;
  for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    import_object(plane, kernels_.lanes, object + 2 * z * plane_pixels, scale, line(), begin, end);
  });
  transform_planes(&Image<T>::state, T(1));
}

template <typename T>
bool Solver<T>::set_iterate() {
  for_outer(image_.outer_blocks(), [&](int begin, int end) {
    kernels_.inverse_outer(image_, image_.state, line(), begin, end);
  });
  if (wait_and_agree()) return true;
  update_planes({T(0), T(1), T(0), T(0), T(0)});  // p everywhere
  return false;
}

// The first support in `mask`; `iterate` holds the autocorrelation F^-1(a^2) meanwhile.
template <typename T>
bool Solver<T>::support_of_autocorrelation(T zero) {
  const int lanes = kernels_.lanes, blocks = image_.row_blocks;
  for_outer(image_.outer_blocks(),
            [&](int begin, int end) { intensity_spectrum(image_, lanes, begin, end); });
  if (set_iterate()) return true;
  const double* const sums = image_.partial;
  const double* const end_of_sums = sums + int64_t{image_.planes} * blocks;
  for_planes(blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    brightest_of_rows(plane, lanes, image_.partial + int64_t{z} * blocks, begin, end);
  });
  if (wait_and_agree()) return true;
  const FirstLevels<T> levels(T(*std::max_element(sums, end_of_sums)));
  if (wait_and_agree()) return true;  // all have read the sums
  for_planes(blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    weigh_first_support(plane, lanes, levels, image_.partial + int64_t{z} * blocks, begin, end);
  });
  if (wait_and_agree()) return true;
  const double weight = std::accumulate(sums, end_of_sums, 0.0);
  const T level = levels.chosen(task_.shrinkwrap.every > 0, zero, weight);
  for_planes(blocks, [&](int, const Image<T>& plane, int begin, int end) {
    mark_bright_rows(plane, lanes, level, begin, end);
  });
  return false;
}

template <typename T>
bool Solver<T>::start_at_random(int64_t index) {
  const int64_t item = index / task_.starts, start = start_.first_start + index % task_.starts;
  const int lanes = kernels_.lanes;
  // The update multiplies what is there by 0.
  for_planes(image_.row_blocks, [&](int, const Image<T>& plane, int begin, int end) {
    clear_rows(plane, lanes, begin, end);
  });
  const T zero = task_.amplitude[item * task_.grid.pixels()];
  if (start_.support && support_of_autocorrelation(zero)) return true;
  for_outer(image_.outer_blocks(), [&](int begin, int end) {
    random_spectrum(image_, lanes, axes_, start_.seed[item], start, begin, end);
  });
  return set_iterate();
}

template <typename T>
bool Solver<T>::load(int64_t index, T scale) {
  const int64_t pixels = task_.grid.pixels(), plane_pixels = pixels / image_.planes;
  const int shares = image_.is_volume() ? image_.rows : image_.column_blocks;
  for_outer(shares, [&](int begin, int end) {
    import_amplitude(image_, kernels_.lanes, task_.amplitude + index / task_.starts * pixels, scale,
                     axes_, workspace_.amplitude(), begin, end);
  });
  if (!start_.support) {
    const uint8_t* support = task_.support + index * pixels;
    for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
      import_support(plane, kernels_.lanes, support + z * plane_pixels, begin, end);
    });
  }
  if (wait_and_agree()) return true;
  if (task_.blur != nullptr) {
    const int64_t size = int64_t{image_.outer_length()} * kernels_.lanes;
    for_outer(image_.outer_blocks(), [&](int begin, int end) {
      std::copy(image_.amplitude + begin * size, image_.amplitude + end * size,
                workspace_.measured() + begin * size);
    });
  }
  measured_power_ = std::accumulate(image_.partial, image_.partial + image_.outer_blocks(), 0.0);
  if (!start_.iterate) {
    load_object(index, scale);
  } else if (start_at_random(index)) {
    return true;
  }
  return wait_and_agree();
}

template bool Solver<float>::load(int64_t, float);
template bool Solver<double>::load(int64_t, double);

}  // namespace symbreak
