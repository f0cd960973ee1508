// Copies in and out of the engine's layout, once per image.
#include "cpu/engine/layout.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cpu/engine/empty_rows.h"
#include "cpu/random_phases.h"

namespace symbreak {

template <typename T>
T amplitude_scale(const T* amplitude, int64_t pixels) {
  T largest = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    if (std::abs(amplitude[i]) > largest) largest = std::abs(amplitude[i]);
  }
  if (!(largest > 0) || !std::isfinite(largest)) return 1;
  return std::ldexp(T(1), -std::ilogb(largest));
}

template <typename T>
void import_object(const Image<T>& image, int lanes, const T* object, T scale, T* line, int begin,
                   int end) {
  const int64_t columns = image.columns, size = int64_t{image.padded_columns} * lanes;
  for (int block = begin; block < end; ++block) {
    const int count = std::min(lanes, image.rows - block * lanes);
    std::copy_n(object + 2 * block * lanes * columns, 2 * count * columns, line);
    T* iterate = image.iterate + 2 * block * size;
    std::fill_n(iterate, 2 * size, T(0));
    for (int lane = 0; lane < count; ++lane) {
      const T* from = line + 2 * lane * columns;
      for (int64_t column = 0; column < columns; ++column) {
        T* to = iterate + 2 * column * lanes + lane;
        to[0] = scale * from[2 * column];
        to[lanes] = scale * from[2 * column + 1];
      }
    }
  }
}

template <typename T>
void clear_rows(const Image<T>& image, int lanes, int begin, int end) {
  clear_iterate(image, lanes, begin, end);
  const int64_t rounding = end * lanes - image.rows;
  for (int block = 0; rounding > 0 && block < image.column_blocks; ++block) {
    std::fill_n(image.state + block * image.state_stride + 2 * image.rows * lanes,
                2 * rounding * lanes, T(0));
  }
}

template <typename T>
void import_support(const Image<T>& image, int lanes, const uint8_t* support, int begin, int end) {
  const int64_t columns = image.columns, size = int64_t{image.padded_columns} * lanes;
  for (int block = begin; block < end; ++block) {
    const int count = std::min(lanes, image.rows - block * lanes);
    int8_t* mask = image.mask + block * size;
    std::fill_n(mask, size, int8_t{0});
    for (int lane = 0; lane < count; ++lane) {
      const uint8_t* inside = support + (block * lanes + lane) * columns;
      for (int64_t column = 0; column < columns; ++column) {
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
void add_rows(const Image<T>& image, int lanes, T* sum, bool first, int begin, int end) {
  const int64_t size = 2 * int64_t{image.padded_columns} * lanes;
  const T* iterate = image.iterate;
  for (int64_t i = begin * size; i < end * size; ++i) sum[i] = (first ? T(0) : sum[i]) + iterate[i];
}

template <typename T>
void mean_rows(const Image<T>& image, int lanes, const T* sum, T share, int begin, int end) {
  const int64_t size = 2 * int64_t{image.padded_columns} * lanes;
  T* iterate = image.iterate;
  for (int64_t i = begin * size; i < end * size; ++i) iterate[i] = share * sum[i];
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
        const T scaled =
            value == T(-kNoBound) ? value : value * scale * image.gain + T(0);  // no -0
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

namespace {

// Where in `state` the block of outer lines begins, and the way from one of its points to the next.
template <typename T>
struct OuterPlace {
  OuterPlace(const Image<T>& image, int lanes, int block)
      : first(image.is_volume() ? block / image.rows * image.state_stride +
                                      int64_t{block % image.rows} * 2 * lanes
                                : block * image.state_stride),
        stride(image.is_volume() ? image.plane_stride : 2 * lanes) {}
  int64_t first, stride;
};

}  // namespace

template <typename T>
void random_spectrum(const Image<T>& image, int lanes, const Axes<T>& axes, int64_t seed,
                     int64_t start, int begin, int end) {
  const bool volume = image.is_volume();
  const std::vector<int>& along_rows = axes.rows.frequency();
  const std::vector<int>& outer = volume ? axes.stack->frequency() : axes.columns.frequency();
  const int64_t outer_stride = int64_t{image.columns} * (volume ? image.rows : 1);
  const int length = image.outer_length(), points = kPhaseBlock / lanes;
  for (int block = begin; block < end; ++block) {
    const OuterPlace<T> place(image, lanes, block);
    const T* amplitude = image.amplitude + int64_t{block} * length * lanes;
    const int column = (volume ? block / image.rows : block) * lanes;
    const int64_t row =
        volume ? int64_t{axes.columns.frequency()[block % image.rows]} * image.columns : 0;
    for (int i = 0; i < length; i += points) {
      const int count = std::min(points, length - i);
      int64_t pixel[kPhaseBlock] = {};
      T a[kPhaseBlock] = {}, re[kPhaseBlock], im[kPhaseBlock];
      for (int k = 0; k < count * lanes; ++k) {
        const int last = image.columns - 1;  // the amplitude of the rounding is 0
        pixel[k] = outer[i + k / lanes] * outer_stride + row +
                   along_rows[std::min(column + k % lanes, last)];
        a[k] = amplitude[i * lanes + k];
      }
      random_phases(pixel, a, seed, start, re, im);
      for (int k = 0; k < count; ++k) {
        T* to = image.state + place.first + (i + k) * place.stride;
        std::copy_n(re + k * lanes, lanes, to);
        std::copy_n(im + k * lanes, lanes, to + lanes);
      }
    }
  }
}

template <typename T>
void intensity_spectrum(const Image<T>& image, int lanes, int begin, int end) {
  const int length = image.outer_length();
  const T back = 1 / image.gain;
  for (int block = begin; block < end; ++block) {
    const OuterPlace<T> place(image, lanes, block);
    const T* amplitude = image.amplitude + int64_t{block} * length * lanes;
    for (int i = 0; i < length; ++i, amplitude += lanes) {
      T* to = image.state + place.first + i * place.stride;
      for (int lane = 0; lane < lanes; ++lane) {
        const T a = known_amplitude(amplitude[lane]);
        to[lane] = a * (a * back);
        to[lanes + lane] = 0;
      }
    }
  }
}

namespace {

// Calls body(|x|^2, index in mask) for the pixels of a block of rows, its rounding included.
template <typename T, typename Body>
void for_powers(const Image<T>& image, int lanes, int block, const Body& body) {
  const int64_t first = int64_t{block} * image.padded_columns * lanes;
  for (int column = 0; column < image.padded_columns; ++column) {
    const T* x = image.iterate + 2 * (first + column * lanes);
    for (int lane = 0; lane < lanes; ++lane) {
      body(x[lane] * x[lane] + x[lanes + lane] * x[lanes + lane], first + column * lanes + lane);
    }
  }
}

}  // namespace

template <typename T>
void brightest_of_rows(const Image<T>& image, int lanes, double* partial, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    T largest = 0;
    for_powers(image, lanes, block, [&](T power, int64_t) { largest = std::max(largest, power); });
    partial[block] = largest;
  }
}

template <typename T>
void weigh_first_support(const Image<T>& image, int lanes, const FirstLevels<T>& levels,
                         double* partial, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    double weight = 0;
    for_powers(image, lanes, block, [&](T power, int64_t) { weight += levels.weight(power); });
    partial[block] = weight;
  }
}

template <typename T>
void inside_of_rows(const Image<T>& image, int lanes, double* sums, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    double power = 0;
    int64_t count = 0;
    for_powers(image, lanes, block, [&](T value, int64_t pixel) {
      power += image.mask[pixel] ? double(value) : 0.0;
      count -= image.mask[pixel];
    });
    sums[2 * block] = power;
    sums[2 * block + 1] = double(count);
  }
}

template <typename T>
void mark_bright_rows(const Image<T>& image, int lanes, T level, int begin, int end) {
  for (int block = begin; block < end; ++block) {
    for_powers(image, lanes, block,
               [&](T power, int64_t pixel) { image.mask[pixel] = power > level ? -1 : 0; });
  }
}

#define SYMBREAK_INSTANTIATE(T)                                                                   \
  template T amplitude_scale<T>(const T*, int64_t);                                               \
  template void import_object<T>(const Image<T>&, int, const T*, T, T*, int, int);                \
  template void clear_rows<T>(const Image<T>&, int, int, int);                                    \
  template void import_support<T>(const Image<T>&, int, const uint8_t*, int, int);                \
  template void export_rows<T>(const Image<T>&, int, T*, uint8_t*, T, T*, int, int);              \
  template void add_rows<T>(const Image<T>&, int, T*, bool, int, int);                            \
  template void mean_rows<T>(const Image<T>&, int, const T*, T, int, int);                        \
  template void import_amplitude<T>(const Image<T>&, int, const T*, T, const Axes<T>&, T*, int,   \
                                    int);                                                         \
  template void random_spectrum<T>(const Image<T>&, int, const Axes<T>&, int64_t, int64_t, int,   \
                                   int);                                                          \
  template void intensity_spectrum<T>(const Image<T>&, int, int, int);                            \
  template void brightest_of_rows<T>(const Image<T>&, int, double*, int, int);                    \
  template void weigh_first_support<T>(const Image<T>&, int, const FirstLevels<T>&, double*, int, \
                                       int);                                                      \
  template void inside_of_rows<T>(const Image<T>&, int, double*, int, int);                       \
  template void mark_bright_rows<T>(const Image<T>&, int, T, int, int);

SYMBREAK_INSTANTIATE(float)
SYMBREAK_INSTANTIATE(double)

}  // namespace symbreak
