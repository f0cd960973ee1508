// Copies in and out of the engine's layout, once per image.
#include "cpu/engine/layout.h"

#include <cmath>

namespace symbreak {

template <typename T>
T amplitude_scale(const T* amplitude, int64_t pixels) {
  T largest = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    if (amplitude[i] > largest) largest = amplitude[i];
  }
  if (!(largest > 0) || !std::isfinite(largest)) return 1;
  return std::ldexp(T(1), -std::ilogb(largest));
}

template <typename T>
void import_rows(const Image<T>& image, int lanes, const T* object, const uint8_t* support, T scale,
                 int begin, int end) {
  for (int64_t row = int64_t{begin} * lanes; row < int64_t{end} * lanes; ++row) {
    const int64_t lane = row % lanes, first = row / lanes * image.columns;
    for (int64_t column = 0; column < image.columns; ++column) {
      const int64_t from = row * image.columns + column, to = (first + column) * lanes + lane;
      image.iterate[2 * to - lane] = scale * object[2 * from];
      image.iterate[2 * to - lane + lanes] = scale * object[2 * from + 1];
      image.mask[to] = support[from] ? -1 : 0;
    }
  }
}

template <typename T>
void export_rows(const Image<T>& image, int lanes, T* object, uint8_t* support, T scale, int begin,
                 int end) {
  const T back = 1 / scale;
  for (int64_t row = int64_t{begin} * lanes; row < int64_t{end} * lanes; ++row) {
    const int64_t lane = row % lanes, first = row / lanes * image.columns;
    for (int64_t column = 0; column < image.columns; ++column) {
      const int64_t to = row * image.columns + column, from = (first + column) * lanes + lane;
      object[2 * to] = back * image.iterate[2 * from - lane];
      object[2 * to + 1] = back * image.iterate[2 * from - lane + lanes];
      support[to] = image.mask[from] != 0;
    }
  }
}

template <typename T>
void import_amplitude(const Image<T>& image, int lanes, const T* amplitude, T scale,
                      const OwnedPlan<T>& along_rows, const OwnedPlan<T>& along_columns, T* target,
                      int begin, int end) {
  for (int block = begin; block < end; ++block) {
    T* out = target + int64_t{block} * image.rows * lanes;
    double sum = 0;
    for (int row = 0; row < image.rows; ++row) {
      const T* line = amplitude + int64_t{along_columns.frequency()[row]} * image.columns;
      for (int lane = 0; lane < lanes; ++lane) {
        const T value = line[along_rows.frequency()[block * lanes + lane]];
        const T scaled = value < 0 ? T(-1) : value * scale * image.gain + T(0);  // no -0
        if (!(value < 0)) sum += double(scaled) * double(scaled);
        *out++ = scaled;
      }
    }
    image.partial[block] = sum;
  }
}

#define SYMBREAK_INSTANTIATE(T)                                                              \
  template T amplitude_scale<T>(const T*, int64_t);                                          \
  template void import_rows<T>(const Image<T>&, int, const T*, const uint8_t*, T, int, int); \
  template void export_rows<T>(const Image<T>&, int, T*, uint8_t*, T, int, int);             \
  template void import_amplitude<T>(const Image<T>&, int, const T*, T, const OwnedPlan<T>&,  \
                                    const OwnedPlan<T>&, T*, int, int);

SYMBREAK_INSTANTIATE(float)
SYMBREAK_INSTANTIATE(double)

}  // namespace symbreak
