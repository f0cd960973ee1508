// Philox4x32-10: random numbers as a function of a key and a counter (Salmon et al. 2011).
#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace symbreak {

struct Philox {
  uint32_t word[4];
};

SYMBREAK_HD Philox philox4x32(Philox counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p = uint64_t{0xD2511F53} * counter.word[0];
    const uint64_t q = uint64_t{0xCD9E8D57} * counter.word[2];
    counter = {{static_cast<uint32_t>(q >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(q),
                static_cast<uint32_t>(p >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(p)}};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

// The random phase of a pixel in a start, in turns [0, 1): the same on every machine.
SYMBREAK_HD double random_turn(int64_t seed, int64_t start, int64_t pixel) {
  const auto key = static_cast<uint64_t>(seed), index = static_cast<uint64_t>(pixel);
  const Philox counter{{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32),
                        static_cast<uint32_t>(start), 0}};
  const Philox random =
      philox4x32(counter, static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32));
  return random.word[0] * 0x1p-32;
}

}  // namespace symbreak
