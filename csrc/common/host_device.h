// SYMBREAK_HD marks functions that the CPU and the GPU both run.
#pragma once

#ifdef __CUDACC__
#define SYMBREAK_HD __host__ __device__ __forceinline__
#else
#define SYMBREAK_HD inline
#endif
