// What instructions compute of the values of one lane.
#pragma once
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "machine.h"

namespace ptx {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;

template <class T>
concept Integer = std::is_integral_v<T>;
template <class T>
concept Real = std::is_floating_point_v<T>;
template <Integer T>
using Bits = std::make_unsigned_t<T>;
template <Integer T>
using Wide = std::conditional_t<sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, s32, u32>,
                                std::conditional_t<std::is_signed_v<T>, s64, u64>>;

struct Add {
  template <Integer T>
  T operator()(T a, T b) const {
    return T(u64(a) + u64(b));
  }
  template <Real T>
  T operator()(T a, T b) const {
    return a + b;
  }
};
struct Subtract {
  template <Integer T>
  T operator()(T a, T b) const {
    return T(u64(a) - u64(b));
  }
  template <Real T>
  T operator()(T a, T b) const {
    return a - b;
  }
};
struct Multiply {  // .lo of integers
  template <Integer T>
  T operator()(T a, T b) const {
    return T(u64(a) * u64(b));
  }
  template <Real T>
  T operator()(T a, T b) const {
    return a * b;
  }
};
struct MultiplyHigh {
  template <Integer T>
  T operator()(T a, T b) const {
    using Twice = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return T((Twice(a) * Twice(b)) >> (8 * sizeof(T)));
  }
};
struct MultiplyWide {
  template <Integer T>
  Wide<T> operator()(T a, T b) const {
    return Wide<T>(a) * Wide<T>(b);
  }
};
struct MultiplyAdd {
  template <Integer T>
  T operator()(T a, T b, T c) const {
    return T(u64(a) * u64(b) + u64(c));
  }
  template <Real T>
  T operator()(T a, T b, T c) const {
    return std::fma(a, b, c);
  }
};
struct Divide {
  template <Integer T>
  T operator()(T a, T b) const {
    if (b == 0) throw Fault("a division by zero");
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return T(0 - u64(a));
    }
    return a / b;
  }
  template <Real T>
  T operator()(T a, T b) const {
    return a / b;
  }
};
struct Remainder {
  template <Integer T>
  T operator()(T a, T b) const {
    if (b == 0) throw Fault("a division by zero");
    if constexpr (std::is_signed_v<T>) {
      if (b == -1) return 0;
    }
    return a % b;
  }
};
struct Least {
  template <Integer T>
  T operator()(T a, T b) const {
    return std::min(a, b);
  }
  template <Real T>
  T operator()(T a, T b) const {
    return std::fmin(a, b);
  }
};
struct Most {
  template <Integer T>
  T operator()(T a, T b) const {
    return std::max(a, b);
  }
  template <Real T>
  T operator()(T a, T b) const {
    return std::fmax(a, b);
  }
};
struct Negate {
  template <Integer T>
  T operator()(T a) const {
    return T(0 - u64(a));
  }
  template <Real T>
  T operator()(T a) const {
    return -a;
  }
};
struct Magnitude {
  template <Integer T>
  T operator()(T a) const {
    return a < 0 ? T(0 - u64(a)) : a;
  }
  template <Real T>
  T operator()(T a) const {
    return std::fabs(a);
  }
};
struct And {
  template <Integer T>
  T operator()(T a, T b) const {
    return a & b;
  }
};
struct Or {
  template <Integer T>
  T operator()(T a, T b) const {
    return a | b;
  }
};
struct ExclusiveOr {
  template <Integer T>
  T operator()(T a, T b) const {
    return a ^ b;
  }
};
struct Not {
  template <Integer T>
  T operator()(T a) const {
    return T(~a);
  }
};
struct NotPredicate {
  template <Integer T>
  T operator()(T a) const {
    return a == 0;
  }
};
struct Copy {
  template <class T>
  T operator()(T a) const {
    return a;
  }
};
struct CountLeadingZeros {
  template <Integer T>
  u32 operator()(T a) const {
    return std::countl_zero(Bits<T>(a));
  }
};
struct CountOnes {
  template <Integer T>
  u32 operator()(T a) const {
    return std::popcount(Bits<T>(a));
  }
};
struct SquareRoot {
  template <Real T>
  T operator()(T a) const {
    return std::sqrt(a);
  }
};
struct Reciprocal {
  template <Real T>
  T operator()(T a) const {
    return 1 / a;
  }
};
struct InverseSquareRoot {
  template <Real T>
  T operator()(T a) const {
    return T(1 / std::sqrt(double(a)));
  }
};
// Of denormal numbers infinity; of doubles the upper half only.
struct RoughInverseSquareRoot {
  float operator()(float a) const {
    return std::fpclassify(a) == FP_SUBNORMAL ? std::copysign(INFINITY, a)
                                              : float(1 / std::sqrt(double(a)));
  }
  double operator()(double a) const {
    if (std::fpclassify(a) == FP_SUBNORMAL) return std::copysign(double(INFINITY), a);
    return get<double>(put(1 / std::sqrt(a)) >> 32 << 32);
  }
};
struct CopySign {  // of the first to the second
  template <Real T>
  T operator()(T a, T b) const {
    return std::copysign(b, a);
  }
};

#define COMPARISON(Name, expression) \
  struct Name {                      \
    template <class T>               \
    u64 operator()(T a, T b) const { \
      return expression;             \
    }                                \
  }
COMPARISON(Equal, a == b);
COMPARISON(NotEqual, (a < b || a > b));  // ordered
COMPARISON(Less, a < b);
COMPARISON(LessEqual, a <= b);
COMPARISON(Greater, a > b);
COMPARISON(GreaterEqual, a >= b);
COMPARISON(EqualOr, !(a < b || a > b));  // or not ordered
COMPARISON(NotEqualOr, !(a == b));
COMPARISON(LessOr, !(a >= b));
COMPARISON(LessEqualOr, !(a > b));
COMPARISON(GreaterOr, !(a <= b));
COMPARISON(GreaterEqualOr, !(a < b));
COMPARISON(Ordered, (a == a && b == b));
COMPARISON(NotOrdered, !(a == a && b == b));
#undef COMPARISON

}  // namespace ptx
