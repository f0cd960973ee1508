// break_symmetry: each object moved to the canonical member of its orbit (Zhang et al. 2024, Alg.
// 1).
#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "common/canonical.h"
#include "common/flip_rule.h"
#include "common/stable.h"
#include "cpu/bounding_box.h"
#include "cpu/reindex.h"
#include "cpu/result.h"

namespace symbreak {
namespace {

// e^{-2 pi i n / M} at the first frequency of a twofold oversampled axis, M = 2 N: [size, 2].
std::vector<double> first_wave(int64_t size) {
  std::vector<double> wave;
  for (int64_t n = 0; n < size; ++n) {
    const double angle = -M_PI * double(n) / double(size);
    wave.push_back(std::cos(angle));
    wave.push_back(std::sin(angle));
  }
  return wave;
}

// The sums the rule looks at, in double whatever the type of the object.
class Moments {
 public:
  Moments(const Grid& grid, FlipRule rule)
      : grid_(grid),
        rule_(rule),
        columns_(2 * grid.size[2]),
        rows_(2 * grid.size[1]),
        column_wave_(first_wave(grid.size[2])),
        row_wave_(first_wave(grid.size[1])) {}

  // x: [depth, rows, columns, 2], its content in `box`.
  template <typename T>
  FlipMoments operator()(const T* x, const Box& box) {
    FlipMoments m;
    sum_lines(x, m.norm);
    for (size_t i = 0; i < columns_.size(); i += 2) {
      m.mean_re += columns_[i];
      m.mean_im += columns_[i + 1];
    }
    transform(columns_, column_wave_, m, 0);
    refer(m, 0, box, 2);
    if (rule_ == FlipRule::kCirculation) {
      transform(rows_, row_wave_, m, 1);
      refer(m, 1, box, 1);
    }
    return m;
  }

 private:
  // Sums over all axes but one: `columns_`, and if needed `rows_`.
  template <typename T>
  void sum_lines(const T* x, double& norm) {
    const int64_t width = 2 * grid_.size[2];
    std::fill(columns_.begin(), columns_.end(), 0.0);
    std::fill(rows_.begin(), rows_.end(), 0.0);
    for (int64_t z = 0; z < grid_.size[0]; ++z, x += width * grid_.size[1]) {
      norm += symmetry_kernels<T>().line_sums(x, grid_.size[1], width, columns_.data(),
                                              rows_.data(), rule_ == FlipRule::kCirculation);
    }
  }

  static void transform(const std::vector<double>& lines, const std::vector<double>& wave,
                        FlipMoments& m, int j) {
    for (size_t i = 0; i < lines.size(); i += 2) {
      add_to_ring(m, j, lines[i], lines[i + 1], wave[i], wave[i + 1]);
    }
  }

  void refer(FlipMoments& m, int j, const Box& box, int axis) const {
    const double center = 0.5 * double(box.lo[axis] + box.hi[axis] - 1);
    const double angle = M_PI * center / double(grid_.size[axis]);
    refer_to_center(m, j, std::cos(angle), std::sin(angle));
  }

  Grid grid_;
  FlipRule rule_;
  std::vector<double> columns_, rows_;  // [columns, 2], [rows, 2]: sums over all other axes
  std::vector<double> column_wave_, row_wave_;
};

struct Results {
  Tensor object, shift, flipped, phase, margin;
};

template <typename T>
void break_items(const Tensor& x, const Grid& grid, double tol, FlipRule rule, Results& results) {
  const T* from = real_data<T>(x);
  T* to = mutable_real_data<T>(results.object);
  int64_t* shift = results.shift.mutable_data_ptr<int64_t>();
  bool* flipped = results.flipped.mutable_data_ptr<bool>();
  T* phase = mutable_real_data<T>(results.phase);
  T* margin = mutable_real_data<T>(results.margin);
  const int64_t pixels = grid.pixels(), items = pixels > 0 ? x.numel() / pixels : 0;
  torch::stable::parallel_for(0, items, items_per_task(pixels), [&](int64_t begin, int64_t end) {
    BoundingBox<T> boxes(grid);
    Moments moments(grid, rule);
    for (int64_t item = begin; item < end; ++item) {
      const T* in = from + 2 * pixels * item;
      const Box box = boxes.find(in, tol, false);
      Canonical c;
      if (box.content == Content::kSome) {
        c = canonical_form(rule, in_range(moments(in, box)), std::numeric_limits<T>::epsilon());
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
      phase[item] = phase_of<T>(c);
      margin[item] = static_cast<T>(c.margin);
    }
  });
}

std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor> break_symmetry_cpu(const Tensor& x, double tol,
                                                                      int64_t ndim,
                                                                      std::string rule) {
  const FlipRule chosen = flip_rule(rule);
  const auto batch = batch_shape(x, ndim);
  const Tensor in = torch::stable::contiguous(x);
  Results out{new_result(in), torch::stable::new_empty(in, appended(batch, ndim), ScalarType::Long),
              torch::stable::new_empty(in, batch, ScalarType::Bool), Tensor(), Tensor()};
  with_complex(in, "break_symmetry", [&]<typename T>() {
    out.phase = torch::stable::new_empty(in, batch, kRealType<T>);
    out.margin = torch::stable::new_empty(in, batch, kRealType<T>);
    break_items<T>(in, make_grid(in.sizes(), ndim), tol, chosen, out);
  });
  return {out.object, out.shift, out.flipped, out.phase, out.margin};
}

}  // namespace
}  // namespace symbreak

STABLE_TORCH_LIBRARY_IMPL(symbreak, CPU, m) {
  m.impl("break_symmetry", TORCH_BOX(&symbreak::break_symmetry_cpu));
}
