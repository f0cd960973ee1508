// Surveys objects and moves each to its place: one block per object that fits the shared memory, so
// that it is read once and written once; several blocks and a second reading for larger ones.
#pragma once

#include "cuda/element.h"
#include "cuda/place.h"
#include "cuda/survey.h"

namespace symbreak {

inline constexpr int kMostWarps = 32, kPartThreads = 256;

// The dynamic shared memory of the kernels below, in this order.
template <typename T>
struct PlaceMemory {
  Pixel<T>* tile;      // [tile_pixels], a multiple of 2
  Survey<T>* surveys;  // [32], one per warp
  Element<T>* element;
  unsigned* flags;

  SYMBREAK_DEVICE PlaceMemory(unsigned char* memory, int64_t tile_pixels)
      : tile(reinterpret_cast<Pixel<T>*>(memory)),
        surveys(reinterpret_cast<Survey<T>*>(tile + tile_pixels)),
        element(reinterpret_cast<Element<T>*>(surveys + kMostWarps)),
        flags(reinterpret_cast<unsigned*>(element + 1)) {}

  static int64_t bytes(int64_t tile_pixels, int64_t flags) {
    return tile_pixels * int64_t(sizeof(Pixel<T>)) + kMostWarps * int64_t(sizeof(Survey<T>)) +
           int64_t(sizeof(Element<T>)) + flags * int64_t(sizeof(unsigned));
  }
};

template <typename T>
SYMBREAK_HD int64_t tile_pixels(const Grid& grid) {
  return (grid.pixels() + 1) / 2 * 2;
}

SYMBREAK_DEVICE Occupied clear_flags(unsigned* flags, int64_t count) {
  if (count == 0) return {nullptr};
  for (int64_t i = threadIdx.x; i < count; i += blockDim.x) flags[i] = 0;
  __syncthreads();
  return {flags};
}

// One block per object.
template <Rule kRule, typename T>
SYMBREAK_KERNEL void __launch_bounds__(1024) place_kernel(Placement<T> job) {
  SYMBREAK_SHARED(memory);
  const PlaceMemory<T> shared(memory, tile_pixels<T>(job.grid));
  const int64_t item = blockIdx.x, pixels = job.grid.pixels();
  const int64_t rows = job.grid.size[0] * job.grid.size[1];
  const Occupied occupied = clear_flags(shared.flags, job.flags());
  const Pixel<T>* x = job.x + item * pixels;
  Survey<T> s = survey_rows<true>(x, shared.tile, job.grid, 0, rows,
                                  {job.tol, kRule == Rule::kBreak, job.rule}, occupied);
  s = join_block(s, shared.surveys);
  if (job.tol > 0) {
    const double bound = job.tol * s.largest;
    Survey<T> extent;
    extent_above(shared.tile, job.grid, 0, rows, bound, extent, occupied);
    __syncthreads();  // every thread has read the surveys
    extent = join_block(extent, shared.surveys);
    for (int axis = 0; axis < 3; ++axis) {
      s.lo[axis] = extent.lo[axis];
      s.hi[axis] = extent.hi[axis];
    }
  }
  if (threadIdx.x == 0) *shared.element = decide<kRule>(s, shared.flags, job, item);
  __syncthreads();
  write_rows(shared.tile, job.object + item * pixels, job.grid, *shared.element, job.wrap, 0, rows);
}

// Several blocks per object, `parts` of them; surveys: [items, parts], flags: [items, flags].
template <typename T>
struct Parts {
  Survey<T>* surveys;
  unsigned* flags;
  Element<T>* elements;  // [items]
  int64_t count, rows;   // rows of a part, the last may have fewer
};

template <typename T>
SYMBREAK_DEVICE void merge_flags(const Placement<T>& job, const Parts<T>& parts, int64_t item,
                                 Occupied occupied) {
  __syncthreads();
  for (int64_t i = threadIdx.x; i < job.flags(); i += blockDim.x) {
    if (occupied.flags[i] != 0) atomicOr(parts.flags + item * job.flags() + i, 1u);
  }
}

template <Rule kRule, typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPartThreads)
    survey_kernel(Placement<T> job, Parts<T> parts) {
  SYMBREAK_SHARED(memory);
  const PlaceMemory<T> shared(memory, 0);
  const int64_t item = blockIdx.x / parts.count, part = blockIdx.x % parts.count;
  const int64_t rows = job.grid.size[0] * job.grid.size[1], begin = part * parts.rows;
  const Occupied occupied = clear_flags(shared.flags, job.flags());
  const Survey<T> s =
      join_block(survey_rows<false, T>(job.x + item * job.grid.pixels(), nullptr, job.grid, begin,
                                       std::min(begin + parts.rows, rows),
                                       {job.tol, kRule == Rule::kBreak, job.rule}, occupied),
                 shared.surveys);
  if (threadIdx.x == 0) parts.surveys[blockIdx.x] = s;
  merge_flags(job, parts, item, occupied);
}

// The surveys of an object's parts, joined in a fixed order, for every thread of a block.
template <typename T>
SYMBREAK_DEVICE Survey<T> join_parts(const Parts<T>& parts, int64_t item, Survey<T>* warps) {
  Survey<T> s;
  for (int64_t i = threadIdx.x; i < parts.count; i += blockDim.x) {
    s = joined(s, parts.surveys[item * parts.count + i]);
  }
  return join_block(s, warps);
}

// The extents of |x| > tol max |x|, written into the surveys.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPartThreads)
    extent_kernel(Placement<T> job, Parts<T> parts, const double* largest) {
  SYMBREAK_SHARED(memory);
  const PlaceMemory<T> shared(memory, 0);
  const int64_t item = blockIdx.x / parts.count, part = blockIdx.x % parts.count;
  const int64_t rows = job.grid.size[0] * job.grid.size[1], begin = part * parts.rows;
  const Occupied occupied = clear_flags(shared.flags, job.flags());
  Survey<T> s;
  extent_above(job.x + item * job.grid.pixels(), job.grid, begin,
               std::min(begin + parts.rows, rows), job.tol * largest[item], s, occupied);
  s = join_block(s, shared.surveys);
  if (threadIdx.x < 3) {
    parts.surveys[blockIdx.x].lo[threadIdx.x] = s.lo[threadIdx.x];
    parts.surveys[blockIdx.x].hi[threadIdx.x] = s.hi[threadIdx.x];
  }
  merge_flags(job, parts, item, occupied);
}

// One block per object: max |x| of its parts.
template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPartThreads)
    largest_kernel(Parts<T> parts, double* largest) {
  SYMBREAK_SHARED(memory);
  const Survey<T> s = join_parts(parts, blockIdx.x, PlaceMemory<T>(memory, 0).surveys);
  if (threadIdx.x == 0) largest[blockIdx.x] = s.largest;
}

template <Rule kRule, typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPartThreads)
    decide_kernel(Placement<T> job, Parts<T> parts) {
  SYMBREAK_SHARED(memory);
  const int64_t item = blockIdx.x;
  const Survey<T> s = join_parts(parts, item, PlaceMemory<T>(memory, 0).surveys);
  if (threadIdx.x == 0) {
    parts.elements[item] = decide<kRule>(s, parts.flags + item * job.flags(), job, item);
  }
}

template <typename T>
SYMBREAK_KERNEL void __launch_bounds__(kPartThreads)
    write_kernel(Placement<T> job, Parts<T> parts) {
  const int64_t item = blockIdx.x / parts.count, begin = blockIdx.x % parts.count * parts.rows;
  const int64_t pixels = job.grid.pixels(), rows = job.grid.size[0] * job.grid.size[1];
  write_rows(job.x + item * pixels, job.object + item * pixels, job.grid, parts.elements[item],
             job.wrap, begin, std::min(begin + parts.rows, rows));
}

}  // namespace symbreak
