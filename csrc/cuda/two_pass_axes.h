// The lengths that the two-pass kernels are compiled for, and their radices.
#pragma once

#include "cuda/axis.h"

namespace symbreak {

// Calls body(Radices<...>()) for a length; false if there are none for it.
template <typename Body>
bool with_two_pass_axis(int64_t length, const Body& body) {
  switch (length) {
    case 32:
      body(Radices<8, 4>());
      return true;
    case 48:
      body(Radices<16, 3>());
      return true;
    case 64:
      body(Radices<8, 8>());
      return true;
    case 80:
      body(Radices<16, 5>());
      return true;
    case 96:
      body(Radices<8, 4, 3>());
      return true;
    case 128:
      body(Radices<16, 8>());
      return true;
    case 160:
      body(Radices<8, 4, 5>());
      return true;
    case 192:
      body(Radices<8, 8, 3>());
      return true;
    case 256:
      body(Radices<16, 16>());
      return true;
    case 320:
      body(Radices<8, 8, 5>());
      return true;
    case 384:
      body(Radices<16, 8, 3>());
      return true;
    case 512:
      body(Radices<8, 8, 8>());
      return true;
    case 640:
      body(Radices<16, 8, 5>());
      return true;
    case 768:
      body(Radices<16, 16, 3>());
      return true;
    case 1024:
      body(Radices<16, 8, 8>());
      return true;
    default:
      return false;
  }
}

}  // namespace symbreak
