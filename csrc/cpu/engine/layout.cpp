// Copies in and out of the engine's layout, once per image.
#include "cpu/engine/layout.h"

#include <algorithm>
#include <cmath>
#include <vector>

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
                 T* line, int begin, int end) {
  const int64_t columns = image.columns, size = int64_t{image.padded_columns} * lanes;
  for (int block = begin; block < end; ++block) {
    const int64_t first = int64_t{block} * lanes * columns;  // pixel
    const int count = std::min(lanes, image.rows - block * lanes);
    std::copy_n(object + 2 * first, 2 * count * columns, line);
    T* iterate = image.iterate + 2 * block * size;
    int8_t* mask = image.mask + block * size;
    std::fill_n(iterate, 2 * size, T(0));
    std::fill_n(mask, size, int8_t{0});
    for (int lane = 0; lane < count; ++lane) {
      const T* from = line + 2 * lane * columns;
      const uint8_t* inside = support + first + lane * columns;
      for (int64_t column = 0; column < columns; ++column) {
        T* to = iterate + 2 * column * lanes + lane;
        to[0] = scale * from[2 * column];
        to[lanes] = scale * from[2 * column + 1];
        mask[column * lanes + lane] = inside[column] ? -1 : 0;
      }
    }
  }
}

template <typename T>
void export_rows(const Image<T>& image, int lanes, T* object, uint8_t* support, T scale, T* line,
                 int begin, int end) {
  const T back = 1 / scale;
  const int64_t columns = image.columns, size = int64_t{image.padded_columns} * lanes;
  for (int block = begin; block < end; ++block) {
    const int64_t first = int64_t{block} * lanes * columns;
    const int count = std::min(lanes, image.rows - block * lanes);
    std::copy_n(image.iterate + 2 * block * size, 2 * columns * lanes, line);
    const int8_t* mask = image.mask + block * size;
    for (int lane = 0; lane < count; ++lane) {
      T* to = object + 2 * (first + lane * columns);
      uint8_t* inside = support + first + lane * columns;
      for (int64_t column = 0; column < columns; ++column) {
        const T* from = line + 2 * column * lanes + lane;
        to[2 * column] = back * from[0];
        to[2 * column + 1] = back * from[lanes];
        inside[column] = mask[column * lanes + lane] != 0;
      }
    }
  }
}

template <typename T>
void import_amplitude(const Image<T>& image, int lanes, const T* amplitude, T scale,
                      const Axes<T>& axes, T* target, int begin, int end) {
  const bool volume = image.is_volume();
  const std::vector<int>& along_rows = axes.rows.frequency();
  const std::vector<int>& outer = volume ? axes.stack->frequency() : axes.columns.frequency();
  const int64_t length = image.outer_length();
  const int64_t stride = int64_t{image.columns} * (volume ? image.rows : 1);  // along outer lines
  const auto import_block = [&](int block, const T* first, int column) {
    T* out = target + block * length * lanes;
    const int count = std::min(lanes, image.columns - column);
    double sum = 0;
    for (int64_t i = 0; i < length; ++i, out += lanes) {
      const T* line = first + outer[i] * stride;
      std::fill_n(out, lanes, T(0));
      for (int lane = 0; lane < count; ++lane) {
        const T value = line[along_rows[column + lane]];
        const T scaled = value < 0 ? T(-1) : value * scale * image.gain + T(0);  // no -0
        if (!(value < 0)) sum += double(scaled) * double(scaled);
        out[lane] = scaled;
      }
    }
    image.partial[block] = sum;
  };
  if (!volume) {
    for (int block = begin; block < end; ++block) import_block(block, amplitude, block * lanes);
    return;
  }
  for (int row = begin; row < end; ++row) {
    const T* first = amplitude + int64_t{axes.columns.frequency()[row]} * image.columns;
    for (int i = 0; i < image.column_blocks; ++i) {
      import_block(i * image.rows + row, first, i * lanes);
    }
  }
}

#define SYMBREAK_INSTANTIATE(T)                                                                  \
  template T amplitude_scale<T>(const T*, int64_t);                                              \
  template void import_rows<T>(const Image<T>&, int, const T*, const uint8_t*, T, T*, int, int); \
  template void export_rows<T>(const Image<T>&, int, T*, uint8_t*, T, T*, int, int);             \
  template void import_amplitude<T>(const Image<T>&, int, const T*, T, const Axes<T>&, T*, int,  \
                                    int);

SYMBREAK_INSTANTIATE(float)
SYMBREAK_INSTANTIATE(double)

}  // namespace symbreak
