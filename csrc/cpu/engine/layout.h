// Between the caller's arrays and the engine's blocks of lines.
#pragma once

#include "cpu/engine/kernels.h"
#include "cpu/engine/plan.h"

namespace symbreak {

// A power of two that brings the largest measured amplitude to about 1, so that |X|^2 neither
// overflows nor underflows and nothing else changes; 1 if there is none or it is not finite.
template <typename T>
T amplitude_scale(const T* amplitude, int64_t pixels);

// Blocks [begin, end) of rows: iterate = scale object, mask = support.
template <typename T>
void import_rows(const Image<T>& image, int lanes, const T* object, const uint8_t* support, T scale,
                 int begin, int end);

template <typename T>
void export_rows(const Image<T>& image, int lanes, T* object, uint8_t* support, T scale, int begin,
                 int end);

// Blocks [begin, end) of columns: target = gain scale amplitude in digit-reversed positions, -1
// where not measured; partial[block] = the sum of squares of what is measured.
template <typename T>
void import_amplitude(const Image<T>& image, int lanes, const T* amplitude, T scale,
                      const OwnedPlan<T>& along_rows, const OwnedPlan<T>& along_columns, T* target,
                      int begin, int end);

}  // namespace symbreak
