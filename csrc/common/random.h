// Philox4x32-10: random numbers as a function of a key and a counter (Salmon et al. 2011).
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace symbreak {

struct Philox {
  uint32_t word[4];
};

SYMBREAK_HD Philox philox_round(const Philox& counter, uint32_t key0, uint32_t key1) {
  const uint64_t p = uint64_t{0xD2511F53} * counter.word[0];
  const uint64_t q = uint64_t{0xCD9E8D57} * counter.word[2];
  return {{static_cast<uint32_t>(q >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(q),
           static_cast<uint32_t>(p >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(p)}};
}

constexpr int kPhiloxRounds = 10;
constexpr uint32_t kPhiloxStep0 = 0x9E3779B9, kPhiloxStep1 = 0xBB67AE85;  // from key to key

SYMBREAK_HD Philox philox4x32(Philox counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    counter = philox_round(counter, key0, key1);
    key0 += kPhiloxStep0;
    key1 += kPhiloxStep1;
  }
  return counter;
}

// What the random phase of a pixel in a start is drawn from.
SYMBREAK_HD Philox phase_counter(int64_t start, int64_t pixel) {
  const auto index = static_cast<uint64_t>(pixel);
  return {{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
           static_cast<uint32_t>(start), 0}};
}

// The random number of a pixel in a start: the same on every machine.
SYMBREAK_HD uint32_t random_word(int64_t seed, int64_t start, int64_t pixel) {
  const auto key = static_cast<uint64_t>(seed);
  return philox4x32(phase_counter(start, pixel), static_cast<uint32_t>(key),
                    static_cast<uint32_t>(key >> 32))
      .word[0];
}

}  // namespace symbreak
