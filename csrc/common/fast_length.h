// The lengths that every FFT library transforms fast.
#pragma once

#include <cstdint>

namespace symbreak {

// The smallest 2^a 3^b 5^c >= n.
inline int64_t fast_length(int64_t n) {
  for (int64_t length = n;; ++length) {
    int64_t rest = length;
    for (const int64_t factor : {2, 3, 5}) {
      while (rest > 1 && rest % factor == 0) rest /= factor;
    }
    if (rest == 1) return length;
  }
}

}  // namespace symbreak
