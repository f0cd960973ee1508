// Vectors of lines by the compiler's vector extensions, as wide as the instruction set allows.
//
// Only for files that are compiled once per instruction set (see engine/kernel_table.h).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/fft.h"

namespace symbreak {
inline namespace SYMBREAK_ISA {

// Bytes of a vector: the widest there is, unless the build asks for less.
#if defined(SYMBREAK_VECTOR_BYTES)
#elif defined(__AVX512F__)
#define SYMBREAK_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define SYMBREAK_VECTOR_BYTES 32
#else
#define SYMBREAK_VECTOR_BYTES 16
#endif
constexpr int kVectorBytes = SYMBREAK_VECTOR_BYTES;

template <typename T>
constexpr int kLanes = kVectorBytes / int(sizeof(T));

// A 16-byte chunk is what every instruction set can shuffle freely and load on its own.
template <typename T>
constexpr int kChunk = 16 / int(sizeof(T));

template <typename T>
struct SimdTypes;

template <>
struct SimdTypes<float> {
  typedef float Vector __attribute__((vector_size(kVectorBytes)));
  typedef float Chunk __attribute__((vector_size(16)));
  typedef int32_t Mask __attribute__((vector_size(kVectorBytes)));
  typedef int8_t Bytes __attribute__((vector_size(kVectorBytes / 4)));
  typedef double Wide __attribute__((vector_size(2 * kVectorBytes)));
};

template <>
struct SimdTypes<double> {
  typedef double Vector __attribute__((vector_size(kVectorBytes)));
  typedef double Chunk __attribute__((vector_size(16)));
  typedef int64_t Mask __attribute__((vector_size(kVectorBytes)));
  typedef int8_t Bytes __attribute__((vector_size(kVectorBytes / 8)));
  typedef double Wide __attribute__((vector_size(kVectorBytes)));
};

template <typename T>
using Vector = typename SimdTypes<T>::Vector;
template <typename T>
using Chunk = typename SimdTypes<T>::Chunk;
template <typename T>
using Mask = typename SimdTypes<T>::Mask;

// One complex element of kLanes lines: re and im side by side, a cache line with AVX2.
template <typename T>
using Element = Complex<Vector<T>>;

template <typename T>
SYMBREAK_HD Vector<T>& as_vector(T* pointer) {
  return *reinterpret_cast<Vector<T>*>(pointer);
}

template <typename T>
SYMBREAK_HD const Vector<T>& as_vector(const T* pointer) {
  return *reinterpret_cast<const Vector<T>*>(pointer);
}

// Keeps a loaded element in registers. Without it g++ folds the same load into every instruction
// that uses the value, and the butterflies become bound by loads (2 a clock on most machines).
template <typename V>
SYMBREAK_HD Complex<V> held(Complex<V> value) {
#if defined(__x86_64__)
  asm("" : "+v"(value.re), "+v"(value.im));
#elif defined(__aarch64__)
  asm("" : "+w"(value.re), "+w"(value.im));
#endif
  return value;
}

// Fetches cache lines that will be read soon.
template <int Bytes, typename T>
SYMBREAK_HD void prefetch(const T* pointer) {
  SYMBREAK_UNROLL for (int i = 0; i < Bytes; i += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(pointer) + i, 0, 3);
  }
}

// The support of kLanes pixels, bytes 0 or -1. (g++ 12 makes a scalar loop of the generic form.)
template <typename T>
SYMBREAK_HD Mask<T> load_mask(const int8_t* bytes) {
#if defined(__x86_64__)
  __m128i wide = {};
  std::memcpy(&wide, bytes, sizeof(typename SimdTypes<T>::Bytes));
#if SYMBREAK_VECTOR_BYTES == 64
  if constexpr (sizeof(T) == 4) return Mask<T>(_mm512_maskz_cvtepi8_epi32(-1, wide));
  if constexpr (sizeof(T) == 8) return Mask<T>(_mm512_maskz_cvtepi8_epi64(-1, wide));
#elif SYMBREAK_VECTOR_BYTES == 32
  if constexpr (sizeof(T) == 4) return Mask<T>(_mm256_cvtepi8_epi32(wide));
  if constexpr (sizeof(T) == 8) return Mask<T>(_mm256_cvtepi8_epi64(wide));
#else
  wide = _mm_unpacklo_epi8(wide, wide);  // every bit of a byte is the same
  wide = _mm_unpacklo_epi16(wide, wide);
  if constexpr (sizeof(T) == 8) wide = _mm_unpacklo_epi32(wide, wide);
  return Mask<T>(wide);
#endif
#else
  typename SimdTypes<T>::Bytes packed;
  std::memcpy(&packed, bytes, sizeof(packed));
  return __builtin_convertvector(packed, Mask<T>);
#endif
}

template <typename T>
SYMBREAK_HD void store_mask(int8_t* bytes, const Mask<T>& mask) {
#if SYMBREAK_VECTOR_BYTES == 64
  __m128i packed;
  if constexpr (sizeof(T) == 4) packed = _mm512_maskz_cvtepi32_epi8(-1, __m512i(mask));
  if constexpr (sizeof(T) == 8) packed = _mm512_maskz_cvtepi64_epi8(-1, __m512i(mask));
#elif defined(__x86_64__)
#if SYMBREAK_VECTOR_BYTES == 32
  const __m128i low = _mm256_castsi256_si128(__m256i(mask));
  const __m128i high = _mm256_extracti128_si256(__m256i(mask), 1);
#else
  const __m128i low = __m128i(mask), high = low;
#endif
  // Saturation keeps 0 and -1 what they are; of a double's mask every other 32 bits are enough.
  __m128i packed = _mm_packs_epi32(low, high);
  if constexpr (sizeof(T) == 8) {
    const __m128 even = _mm_shuffle_ps(_mm_castsi128_ps(low), _mm_castsi128_ps(high), 0x88);
    packed = _mm_packs_epi32(_mm_castps_si128(even), _mm_castps_si128(even));
  }
  packed = _mm_packs_epi16(packed, packed);
#else
  const auto packed = __builtin_convertvector(mask, typename SimdTypes<T>::Bytes);
#endif
  std::memcpy(bytes, &packed, sizeof(typename SimdTypes<T>::Bytes));
}

}  // namespace SYMBREAK_ISA
}  // namespace symbreak
