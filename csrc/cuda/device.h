// The device API of the CUDA sources: CUDA itself under nvcc, its emulation on the CPU under g++.
//
// The same .cu files build twice, so they keep to what is here:
//   SYMBREAK_KERNEL void name(...)             a kernel; grids and blocks have one axis only
//   SYMBREAK_DEVICE int name(...)              a function of kernels
//   SYMBREAK_SHARED(name)                      unsigned char* name: the dynamic shared memory
//   launch(kernel, Launch{...}, stream, ...)   instead of <<<>>>
//   threadIdx.x, __syncthreads(), __syncwarp(), __shfl_*_sync, __ballot_sync and integer atomics
//   store_relaxed(at, value)                   where several threads may write at once
// A thread must reach every barrier of its block (warp, cluster), also one with nothing left to do.
#pragma once

#if defined(__CUDACC__)
#include "cuda/device_nvcc.h"
#else
#include "emulation/device.h"
#endif
