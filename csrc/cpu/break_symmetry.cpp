// break_symmetry: each object moved to the canonical member of its orbit (Zhang et al. 2024, Alg.
// 1).
#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "common/canonical.h"
#include "common/stable.h"
#include "cpu/bounding_box.h"
#include "cpu/reindex.h"

namespace symbreak {
namespace {

// The sums the rule looks at, in double whatever the type of the object.
class Moments {
 public:
  explicit Moments(const Grid& grid) : columns_(2 * grid.size[2]), wave_(2 * grid.size[2]) {
    // e^{-2 pi i c / M} at the first frequency of the twofold oversampled last axis, M = 2 N.
    for (int64_t c = 0; c < grid.size[2]; ++c) {
      const double angle = -M_PI * double(c) / double(grid.size[2]);
      wave_[2 * c] = std::cos(angle);
      wave_[2 * c + 1] = std::sin(angle);
    }
  }

  // x: [depth, rows, columns, 2]; `center` is that of the bounding box on the last axis.
  template <typename T>
  FlipMoments operator()(const T* x, const Grid& grid, double center) {
    const int64_t width = 2 * grid.size[2], rows = grid.size[0] * grid.size[1];
    std::fill(columns_.begin(), columns_.end(), 0.0);
    const double norm = symmetry_kernels<T>().column_sums(x, rows, width, columns_.data());
    FlipMoments m{0, 0, 0, 0, norm};
    for (int64_t i = 0; i < width; i += 2) {
      const double re = columns_[i], im = columns_[i + 1];
      m.mean_re += re;
      m.mean_im += im;
      m.first_re += re * wave_[i] - im * wave_[i + 1];
      m.first_im += re * wave_[i + 1] + im * wave_[i];
    }
    const double angle = M_PI * center / double(grid.size[2]);
    return refer_to_center(m, std::cos(angle), std::sin(angle));
  }

 private:
  std::vector<double> columns_;  // [columns, 2] sums over all other axes
  std::vector<double> wave_;     // [columns, 2]
};

struct Results {
  Tensor object, shift, flipped, phase, margin;
};

template <typename T>
void break_items(const Tensor& x, const Grid& grid, double tol, Results& results) {
  const T* from = real_data<T>(x);
  T* to = mutable_real_data<T>(results.object);
  int64_t* shift = results.shift.mutable_data_ptr<int64_t>();
  bool* flipped = results.flipped.mutable_data_ptr<bool>();
  T* phase = mutable_real_data<T>(results.phase);
  T* margin = mutable_real_data<T>(results.margin);
  const int64_t pixels = grid.pixels(), items = pixels > 0 ? x.numel() / pixels : 0;
  torch::stable::parallel_for(0, items, items_per_task(pixels), [&](int64_t begin, int64_t end) {
    BoundingBox<T> boxes(grid);
    Moments moments(grid);
    for (int64_t item = begin; item < end; ++item) {
      const T* in = from + 2 * pixels * item;
      const Box box = boxes.find(in, tol, false);
      Canonical c;
      if (box.content == Content::kSome) {
        const FlipMoments m = moments(in, grid, 0.5 * double(box.lo[2] + box.hi[2] - 1));
        c = angle_rule(m, std::numeric_limits<T>::epsilon());
      }
      if (box.content == Content::kNonFinite) c.margin = std::numeric_limits<double>::quiet_NaN();
      IndexMap map{{0, 0, 0}, c.flipped};
      for (int64_t axis = 0; axis < 3; ++axis) {
        const int64_t s = centring_shift(box.lo[axis], box.hi[axis], grid.size[axis], false);
        map.offset[axis] = c.flipped ? flip_offset(box.lo[axis], box.hi[axis], s) : -s;
        const int64_t user_axis = axis - grid.axis(0);
        if (user_axis >= 0) shift[grid.rank * item + user_axis] = s;
      }
      const Rotation<T> turn{static_cast<T>(c.turn_re), static_cast<T>(c.turn_im)};
      Reindexer<T>(grid, map, turn, false)(in, to + 2 * pixels * item);
      flipped[item] = c.flipped;
      phase[item] = static_cast<T>(std::atan2(c.turn_im, c.turn_re));
      margin[item] = static_cast<T>(c.margin);
    }
  });
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> break_symmetry_cpu(const Tensor& x, double tol,
                                                                      int64_t ndim,
                                                                      std::string rule) {
  STD_TORCH_CHECK(rule == "angle", "break_symmetry: rule must be 'angle', got '", rule, "'.");
  const auto batch = batch_shape(x, ndim);
  const Tensor in = torch::stable::contiguous(x);
  Results out{torch::stable::new_empty(in, shape_of(in)),
              torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long),
              torch::stable::new_empty(in, batch, ScalarType::Bool), Tensor(), Tensor()};
  with_complex(in, "break_symmetry", [&]<typename T>() {
    out.phase = torch::stable::new_empty(in, batch, kRealType<T>);
    out.margin = torch::stable::new_empty(in, batch, kRealType<T>);
    break_items<T>(in, make_grid(in.sizes(), ndim), tol, out);
  });
  return {out.object, out.shift, out.flipped, out.phase, out.margin};
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("break_symmetry", TORCH_BOX(&symbreak::break_symmetry_cpu));
}
