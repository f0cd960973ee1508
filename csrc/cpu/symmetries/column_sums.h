// Sums over the columns of an object, for the rule that breaks the flip.
#pragma once

#include <cstring>

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Eight running sums: an order that does not depend on the instruction set, yet vectorises.
constexpr int kRunning = 8, kRunningParts = kRunning / kLanes<double>;

template <typename T>
struct PackedNumbers {
  typedef T Vector __attribute__((vector_size(kLanes<double> * sizeof(T))));
};

SYMBREAK_HD Vector<double> magnitude_of(const Vector<double>& v) {
  return Vector<double>(Mask<double>(v) & 0x7fffffffffffffff);
}

// Adds `Rows` rows to the sums of the columns, and their absolute values to `norms` of each.
template <int Rows, typename T>
SYMBREAK_HD void add_rows(const T* x, int64_t width, double* columns, double (*norms)[kRunning]) {
  Vector<double> norm[Rows][kRunningParts];
  SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
    std::memcpy(norm[row], norms[row], sizeof(norm[row]));
  }
  int64_t i = 0;
  for (; i + kRunning <= width; i += kRunning) {
    SYMBREAK_UNROLL for (int part = 0; part < kRunningParts; ++part) {
      const int64_t at = i + part * kLanes<double>;
      Vector<double> sum;
      std::memcpy(&sum, columns + at, sizeof(sum));
      SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
        typename PackedNumbers<T>::Vector packed;
        std::memcpy(&packed, x + row * width + at, sizeof(packed));
        const Vector<double> v = __builtin_convertvector(packed, Vector<double>);
        sum += v;
        norm[row][part] += magnitude_of(v);
      }
      std::memcpy(columns + at, &sum, sizeof(sum));
    }
  }
  SYMBREAK_UNROLL for (int row = 0; row < Rows; ++row) {
    std::memcpy(norms[row], norm[row], sizeof(norm[row]));
    for (int64_t rest = i; rest < width; ++rest) {
      const double v = x[row * width + rest];
      columns[rest] += v;
      norms[row][0] += v < 0 ? -v : v;
    }
  }
}

template <typename T>
double column_sums(const T* x, int64_t rows, int64_t width, double* columns) {
  constexpr int kTogether = 4;
  double norms[kTogether][kRunning] = {};
  int64_t row = 0;
  for (; row + kTogether <= rows; row += kTogether) {
    add_rows<kTogether>(x + row * width, width, columns, norms);
  }
  for (; row < rows; ++row) add_rows<1>(x + row * width, width, columns, norms);
  double total = 0;
  for (const auto& running : norms) {
    for (const double norm : running) total += norm;
  }
  return total;
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
