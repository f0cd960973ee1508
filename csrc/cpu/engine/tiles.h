// Lanes are columns in one sweep and rows in the other: transposed access to tiles.
//
// A tile stores pixel (row r, column c) at base[r * row_stride + c]. `load_transposed` makes a
// vector of each column, whose lanes are kLanes rows, for as many columns as 16 bytes hold. Such
// chunks are put together by loads (vinsertf128 with a memory operand and its like), so that only
// the transposition within chunks, 4x4 floats or 2x2 doubles, costs shuffles.
#pragma once

#include <utility>

#include "cpu/simd.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

template <typename T>
constexpr int kParts = kLanes<T> / kChunk<T>;  // chunks in a vector

// Lane i of the result is lane Pick(i) of the 2 kLanes lanes of (a, b).
template <typename T, typename Pick>
SYMBREAK_HD Vector<T> pick_lanes(const Vector<T>& a, const Vector<T>& b, Pick) {
  return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    return __builtin_shufflevector(a, b, Pick::at(I)...);
  }(std::make_integer_sequence<int, kLanes<T>>());
}

// (a0 b0 a1 b1) or (a2 b2 a3 b3) of every chunk, for elements of `Width` lanes.
template <typename T, int Width, bool High>
struct Interleave {
  static constexpr int at(int lane) {
    const int in_chunk = lane % kChunk<T>, base = lane - in_chunk;
    const int pair = in_chunk / (2 * Width), side = in_chunk / Width % 2;
    const int half = High ? kChunk<T> / 2 : 0;
    return side * kLanes<T> + base + half + pair * Width + in_chunk % Width;
  }
};

// Transposes kChunk vectors within each chunk, in place; its own inverse.
template <typename T>
SYMBREAK_HD void transpose_chunks(Vector<T>* v) {
  if constexpr (kChunk<T> == 2) {
    const Vector<T> a = v[0], b = v[1];
    v[0] = pick_lanes<T>(a, b, Interleave<T, 1, false>());
    v[1] = pick_lanes<T>(a, b, Interleave<T, 1, true>());
  } else {
    const Vector<T> a = pick_lanes<T>(v[0], v[1], Interleave<T, 1, false>());
    const Vector<T> b = pick_lanes<T>(v[2], v[3], Interleave<T, 1, false>());
    const Vector<T> c = pick_lanes<T>(v[0], v[1], Interleave<T, 1, true>());
    const Vector<T> d = pick_lanes<T>(v[2], v[3], Interleave<T, 1, true>());
    v[0] = pick_lanes<T>(a, b, Interleave<T, 2, false>());
    v[1] = pick_lanes<T>(a, b, Interleave<T, 2, true>());
    v[2] = pick_lanes<T>(c, d, Interleave<T, 2, false>());
    v[3] = pick_lanes<T>(c, d, Interleave<T, 2, true>());
  }
}

// The chunks of rows r, r + kChunk, r + 2 kChunk ... side by side.
template <typename T>
SYMBREAK_HD Vector<T> load_chunks(const T* base, int64_t row_stride) {
#if SYMBREAK_VECTOR_BYTES == 64
  // g++ would store four chunks on the stack and wait for them there; these are loads that blend.
  const int64_t step = kChunk<T> * row_stride;
  const auto chunk = [=](int part) __attribute__((always_inline)) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(base + part * step));
  };
  __m512i bits = _mm512_castsi128_si512(chunk(0));
  bits = _mm512_inserti32x4(bits, chunk(1), 1);
  bits = _mm512_inserti32x4(bits, chunk(2), 2);
  bits = _mm512_inserti32x4(bits, chunk(3), 3);
  return Vector<T>(bits);
#else
  Vector<T> vector;
  T* parts = reinterpret_cast<T*>(&vector);
  if constexpr (kParts<T> == 2) {
    Chunk<T> low, high;  // not through a pointer: a user's array may lie anywhere
    std::memcpy(&low, base, sizeof(low));
    std::memcpy(&high, base + kChunk<T> * row_stride, sizeof(high));
    return [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
      return __builtin_shufflevector(low, high, I...);
    }(std::make_integer_sequence<int, kLanes<T>>());
  }
  SYMBREAK_UNROLL for (int part = 0; part < kParts<T>; ++part) {
    std::memcpy(parts + part * kChunk<T>, base + part * kChunk<T> * row_stride, 16);
  }
  return vector;
#endif
}

template <typename T>
SYMBREAK_HD void store_chunks(T* base, int64_t row_stride, const Vector<T>& vector) {
#if SYMBREAK_VECTOR_BYTES == 32
  // g++ would permute the high half down before storing it.
  const __m256i bits = __m256i(vector);
  _mm_store_si128(reinterpret_cast<__m128i*>(base), _mm256_castsi256_si128(bits));
  _mm_store_si128(reinterpret_cast<__m128i*>(base + kChunk<T> * row_stride),
                  _mm256_extracti128_si256(bits, 1));
#else
  const T* parts = reinterpret_cast<const T*>(&vector);
  SYMBREAK_UNROLL for (int part = 0; part < kParts<T>; ++part) {
    std::memcpy(base + part * kChunk<T> * row_stride, parts + part * kChunk<T>, 16);
  }
#endif
}

// columns[k] = column k of kLanes rows, for the kChunk columns that begin at base.
template <typename T>
SYMBREAK_HD void load_transposed(Vector<T>* columns, const T* base, int64_t row_stride) {
  SYMBREAK_UNROLL for (int row = 0; row < kChunk<T>; ++row) {
    columns[row] = load_chunks<T>(base + row * row_stride, row_stride);
  }
  transpose_chunks<T>(columns);
}

// The way back; leaves `columns` transposed.
template <typename T>
SYMBREAK_HD void store_transposed(T* base, int64_t row_stride, Vector<T>* columns) {
  transpose_chunks<T>(columns);
  SYMBREAK_UNROLL for (int row = 0; row < kChunk<T>; ++row) {
    store_chunks<T>(base + row * row_stride, row_stride, columns[row]);
  }
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
