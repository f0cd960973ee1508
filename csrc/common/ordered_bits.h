// Numbers as unsigned integers of the same order, for selection by digits.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

#include "common/host_device.h"

namespace symbreak {

template <typename T>
using OrderedBits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <typename T>
inline constexpr OrderedBits<T> kSignBit = OrderedBits<T>{1} << (8 * sizeof(T) - 1);

// Negative numbers are turned over, positive ones lifted above them.
template <typename T>
SYMBREAK_HD OrderedBits<T> ordered_bits(T value) {
  const auto bits = std::bit_cast<OrderedBits<T>>(value);
  return bits & kSignBit<T> ? ~bits : bits | kSignBit<T>;
}

template <typename T>
SYMBREAK_HD T from_ordered_bits(OrderedBits<T> bits) {
  return std::bit_cast<T>(bits & kSignBit<T> ? bits ^ kSignBit<T> : ~bits);
}

}  // namespace symbreak
