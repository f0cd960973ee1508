// Random phases for a block of pixels at once, in loops that the compiler makes vectors of.
#pragma once

#include <algorithm>

#include "common/phasing_start.h"

namespace symbreak {

constexpr int kPhaseBlock = 32;  // pixels

// re + i im = a e^{2 pi i u} as by `random_start`, for the pixels of these numbers.
template <typename T>
void random_phases(const int64_t* pixels, const T* amplitude, int64_t seed, int64_t start, T* re,
                   T* im) {
  uint32_t word[4][kPhaseBlock];
  for (int i = 0; i < kPhaseBlock; ++i) {
    const Philox counter = phase_counter(start, pixels[i]);
    for (int k = 0; k < 4; ++k) word[k][i] = counter.word[k];
  }
  uint32_t key0 = static_cast<uint32_t>(seed);
  uint32_t key1 = static_cast<uint32_t>(static_cast<uint64_t>(seed) >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    for (int i = 0; i < kPhaseBlock; ++i) {
      const Philox next =
          philox_round({{word[0][i], word[1][i], word[2][i], word[3][i]}}, key0, key1);
      for (int k = 0; k < 4; ++k) word[k][i] = next.word[k];
    }
    key0 += kPhiloxStep0;
    key1 += kPhiloxStep1;
  }
  for (int i = 0; i < kPhaseBlock; ++i) {
    const Complex<double> phase = unit_phase(word[0][i]);
    const double a = known_amplitude(amplitude[i]);
    re[i] = T(a * phase.re);
    im[i] = T(a * phase.im);
  }
}

}  // namespace symbreak
