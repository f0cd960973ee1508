// Sums over the lines of an object along both axes, for the rules that break the flip.
#pragma once

#include <cstring>

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Eight running sums: an order that does not depend on the instruction set, yet vectorises.
constexpr int kRunning = 8, kRunningParts = kRunning / kLanes<double>;

struct RunningSums {
  Vector<double> part[kRunningParts] = {};

  // The sum over the numbers that stand at even or odd places.
  SYMBREAK_HD double every_other(int first) const {
    double lanes[kRunning];
    std::memcpy(lanes, part, sizeof(lanes));
    return (lanes[first] + lanes[first + 2]) + (lanes[first + 4] + lanes[first + 6]);
  }
};

template <typename T>
struct PackedNumbers {
  typedef T Vector __attribute__((vector_size(kLanes<double> * sizeof(T))));
};

SYMBREAK_HD Vector<double> magnitude_of(const Vector<double>& v) {
  return Vector<double>(Mask<double>(v) & 0x7fffffffffffffff);
}

// Adds `Rows` rows to `columns` and, if WithRows, each of them to its entry of `rows`. Returns the
// sum of absolute values.
template <int Rows, bool WithRows, typename T>
SYMBREAK_HD double add_rows(const T* x, int64_t width, double* columns, double* rows) {
  RunningSums norm[Rows], sums[Rows];
  int64_t i = 0;
  for (; i + kRunning <= width; i += kRunning) {
    SYMBREAK_UNROLL for (int part = 0; part < kRunningParts; ++part) {
      const int64_t at = i + part * kLanes<double>;
      Vector<double> column;
      std::memcpy(&column, columns + at, sizeof(column));
      SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
        typename PackedNumbers<T>::Vector packed;
        std::memcpy(&packed, x + row * width + at, sizeof(packed));
        const Vector<double> v = __builtin_convertvector(packed, Vector<double>);
        column += v;
        norm[row].part[part] += magnitude_of(v);
        if constexpr (WithRows) sums[row].part[part] += v;
      }
      std::memcpy(columns + at, &column, sizeof(column));
    }
  }
  double total = 0;
  SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
    double rest_of_norm = 0, rest[2] = {0, 0};
    for (int64_t k = i; k < width; ++k) {
      const double v = x[row * width + k];
      columns[k] += v;
      rest_of_norm += v < 0 ? -v : v;
      rest[k % 2] += v;
    }
    total += norm[row].every_other(0) + norm[row].every_other(1) + rest_of_norm;
    if constexpr (WithRows) {
      rows[2 * row] += sums[row].every_other(0) + rest[0];
      rows[2 * row + 1] += sums[row].every_other(1) + rest[1];
    }
  }
  return total;
}

// `Together` rows at a time, so that the sums of the columns are read and written once for them.
template <int Together, bool WithRows, typename T>
SYMBREAK_HD double add_plane(const T* x, int64_t count, int64_t width, double* columns,
                             double* rows) {
  double total = 0;
  int64_t row = 0;
  for (; row + Together <= count; row += Together) {
    total += add_rows<Together, WithRows>(x + row * width, width, columns, rows + 2 * row);
  }
  for (; row < count; ++row) {
    total += add_rows<1, WithRows>(x + row * width, width, columns, rows + 2 * row);
  }
  return total;
}

template <typename T>
double line_sums(const T* x, int64_t count, int64_t width, double* columns, double* rows,
                 bool with_rows) {
  if (with_rows) return add_plane<2, true>(x, count, width, columns, rows);
  return add_plane<4, false>(x, count, width, columns, rows);
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
