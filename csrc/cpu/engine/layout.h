// Between the caller's arrays and the engine's blocks of lines.
#pragma once

#include "common/phasing_start.h"
#include "cpu/engine/axes.h"
#include "cpu/engine/kernels.h"

namespace symbreak {

// A power of two that brings the largest measured amplitude to about 1, so that |X|^2 neither
// overflows nor underflows and nothing else changes; 1 if there is none or it is not finite.
template <typename T>
T amplitude_scale(const T* amplitude, int64_t pixels);

// Blocks [begin, end) of the rows of an image or plane: iterate = scale object, zeros in the
// rounding. `object` may be the memory of iterate: without rounding, a block of rows is the same
// piece of memory in both; `line` holds one meanwhile.
template <typename T>
void import_object(const Image<T>& image, int lanes, const T* object, T scale, T* line, int begin,
                   int end);

// Zeros in blocks [begin, end) of the rows of iterate, and in the rounding of their rows in state.
template <typename T>
void clear_rows(const Image<T>& image, int lanes, int begin, int end);

template <typename T>
void import_support(const Image<T>& image, int lanes, const uint8_t* support, int begin, int end);

template <typename T>
void export_rows(const Image<T>& image, int lanes, T* object, uint8_t* support, T scale, T* line,
                 int begin, int end);

// sum = sum + iterate, or iterate where it is the first; and iterate = share sum. `sum` has the
// layout of iterate.
template <typename T>
void add_rows(const Image<T>& image, int lanes, T* sum, bool first, int begin, int end);
template <typename T>
void mean_rows(const Image<T>& image, int lanes, const T* sum, T share, int begin, int end);

// target = gain scale amplitude in digit-reversed positions, -kNoBound where nothing is known, 0 in
// the rounding; partial[block] = the sum of squares of what is measured. Of an image the blocks
// [begin, end) of columns; of a volume those outer lines that belong to the rows [begin, end).
template <typename T>
void import_amplitude(const Image<T>& image, int lanes, const T* amplitude, T scale,
                      const Axes<T>& axes, T* target, int begin, int end);

// state = the imported amplitude times random phases, or its square over gain, as a spectrum: 0
// where nothing is known. Blocks [begin, end) of outer lines, as project_outer takes them.
template <typename T>
void random_spectrum(const Image<T>& image, int lanes, const Axes<T>& axes, int64_t seed,
                     int64_t start, int begin, int end);
template <typename T>
void intensity_spectrum(const Image<T>& image, int lanes, int begin, int end);

// partial[block] = the largest |iterate|^2 of each of the blocks [begin, end) of rows; and mask =
// |iterate|^2 > level.
template <typename T>
void brightest_of_rows(const Image<T>& image, int lanes, double* partial, int begin, int end);
// partial[block] = the sum of levels.weight(|iterate|^2).
template <typename T>
void weigh_first_support(const Image<T>& image, int lanes, const FirstLevels<T>& levels,
                         double* partial, int begin, int end);
// sums[2 block] = the sum of |iterate|^2 where mask is set, sums[2 block + 1] = at how many pixels.
template <typename T>
void inside_of_rows(const Image<T>& image, int lanes, double* sums, int begin, int end);
template <typename T>
void mark_bright_rows(const Image<T>& image, int lanes, T level, int begin, int end);

}  // namespace symbreak
