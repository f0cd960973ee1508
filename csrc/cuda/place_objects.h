// The launches behind center, break_symmetry and flip_pivot; without torch, for whoever brings the
// memory.
#pragma once

#include "cuda/place_kernels.h"

namespace symbreak {

template <Rule kRule, typename T>
class PlaceObjects {
 public:
  explicit PlaceObjects(const Placement<T>& job) : job_(job) {
    const int64_t rows = job.grid.size[0] * job.grid.size[1];
    rows_ = rows_per_block(job.grid);
    parts_ = (rows + rows_ - 1) / rows_;
    tile_bytes_ = PlaceMemory<T>::bytes(tile_pixels<T>(job.grid), job.flags());
    part_bytes_ = PlaceMemory<T>::bytes(0, job.flags());
    whole_ = kRule != Rule::kPivot && tile_bytes_ <= device_properties().shared_bytes;
  }

  // Bytes of device memory that operator() works in.
  int64_t scratch_bytes() const { return whole_ ? 0 : layout(nullptr).end; }

  void operator()(void* scratch, Stream stream) const {
    if (job_.items == 0 || job_.grid.pixels() == 0) return;
    if constexpr (kRule != Rule::kPivot) {
      if (whole_) {
        if (tile_bytes_ > kFreeBytes) set_shared_limit(place_kernel<kRule, T>, tile_bytes_);
        return launch(place_kernel<kRule, T>, {job_.items, threads(), tile_bytes_}, stream, job_);
      }
    }
    const Layout at = layout(static_cast<unsigned char*>(scratch));
    const int64_t blocks = job_.items * parts_;
    const int threads = threads_for(rows_ * job_.grid.size[2]);
    const Launch each_part{blocks, threads, part_bytes_};
    const Launch each_item{job_.items, threads_for(8 * parts_), part_bytes_};
    if (part_bytes_ > kFreeBytes) {
      set_shared_limit(survey_kernel<kRule, T>, part_bytes_);
      set_shared_limit(extent_kernel<T>, part_bytes_);
      set_shared_limit(largest_kernel<T>, part_bytes_);
      set_shared_limit(decide_kernel<kRule, T>, part_bytes_);
    }
    if (job_.wrap) {
      fill_bytes(stream, at.parts.flags, 0, job_.items * job_.flags() * int64_t(sizeof(unsigned)));
    }
    launch(survey_kernel<kRule, T>, each_part, stream, job_, at.parts);
    if (job_.tol > 0) {
      launch(largest_kernel<T>, each_item, stream, at.parts, at.largest);
      launch(extent_kernel<T>, each_part, stream, job_, at.parts, at.largest);
    }
    launch(decide_kernel<kRule, T>, each_item, stream, job_, at.parts);
    if constexpr (kRule != Rule::kPivot) {
      launch(write_kernel<T>, {blocks, threads}, stream, job_, at.parts);
    }
  }

 private:
  static constexpr int64_t kFreeBytes = 48 << 10;  // of shared memory, without asking

  struct Layout {
    Parts<T> parts;
    double* largest;
    int64_t end;
  };

  Layout layout(unsigned char* scratch) const {
    Layout at{{}, nullptr, 0};
    const auto take = [&](int64_t bytes) {
      unsigned char* begin = scratch + at.end;
      at.end += (bytes + 15) / 16 * 16;
      return begin;
    };
    at.parts.surveys = reinterpret_cast<Survey<T>*>(take(job_.items * parts_ * sizeof(Survey<T>)));
    at.parts.elements = reinterpret_cast<Element<T>*>(take(job_.items * sizeof(Element<T>)));
    at.largest = reinterpret_cast<double*>(take(job_.items * sizeof(double)));
    at.parts.flags =
        reinterpret_cast<unsigned*>(take(job_.items * job_.flags() * sizeof(unsigned)));
    at.parts.count = parts_;
    at.parts.rows = rows_;
    return at;
  }

  // Enough warps to fill an SM, however many of these objects its shared memory holds.
  int threads() const {
    if (tile_bytes_ <= kFreeBytes) return threads_for(job_.grid.pixels());
    return tile_bytes_ <= 100 << 10 ? 512 : 1024;
  }

  Placement<T> job_;
  int64_t rows_, parts_, tile_bytes_, part_bytes_;
  bool whole_;
};

}  // namespace symbreak
