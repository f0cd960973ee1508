// Marks for functions that the CPU kernels (any instruction set) and the CUDA kernels share.
#pragma once

// A shared formula must never be emitted as a callable function under g++: the linker would keep
// one copy for all instruction sets, perhaps the one this machine cannot run. Hence always_inline,
// and the inline namespace below for whatever has a name.
#if defined(__CUDACC__)
#define SYMBREAK_HD __host__ __device__ __forceinline__
#else
#define SYMBREAK_HD inline __attribute__((always_inline))
#endif

#if defined(__CUDA_ARCH__)
#define SYMBREAK_UNROLL _Pragma("unroll")
#define SYMBREAK_NO_UNROLL _Pragma("unroll 1")
#elif defined(__CUDACC__)  // the host half of a CUDA source, which no kernel runs from
#define SYMBREAK_UNROLL
#define SYMBREAK_NO_UNROLL
#else
#define SYMBREAK_UNROLL _Pragma("GCC unroll 16")
#define SYMBREAK_NO_UNROLL _Pragma("GCC unroll 1")
#endif

// The kernel files are compiled once per instruction set, each time with another name here.
#ifndef SYMBREAK_ISA
#define SYMBREAK_ISA portable
#endif
