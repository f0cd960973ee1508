// The sweep along axis 0 from row transforms to the moduli of the spectrum.
#pragma once

#include "common/projections.h"
#include "cpu/engine/outer_sweeps.h"
#include "cpu/simd_math.h"
#include "cpu/symmetries/first_pass.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// The columns are in their natural order already; a row goes to where its frequency belongs.
template <typename T>
void amplitude_columns(const Image<T>& image, int rows, const int* frequency, T gain, T* amplitude,
                       int begin, int end) {
  const AxisPlan<T>& plan = image.along_columns;
  const int length = plan.length, section = section_length(plan);
  for (int block = begin; block < end; ++block) {
    Element<T>* x = column_block(image, image.state, block);
    T* out = amplitude + block * kLanes<T>;
    first_pass(plan, x, rows);
    for (int start = 0; start < length; start += section) {
      forward_inner_passes(plan, x + start, section);
      for (int p = start; p < start + section; p += 4) {
        Element<T> a[4];
        load_points<4, T>(a, x + p, 1);
        Butterfly<4, Direction::kForward, T>::apply(a);
        SYMBREAK_UNROLL for (int k = 0; k < 4; ++k) {
          const Vector<T> modulus = gain * magnitude<SimdMath, T>(a[k]);
          std::memcpy(out + int64_t{frequency[p + k]} * image.columns, &modulus, sizeof(modulus));
        }
      }
    }
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
