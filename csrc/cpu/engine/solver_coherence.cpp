// Partial coherence: the amplitudes an image is held to, corrected, and the variances refined.
//
// Held to, from one correction to the next: a' = a sqrt(J / B), where J = |F P_S x|^2 and B is J
// blurred. The variances make one Gauss-Newton step towards the least sum of (B - a^2)^2 / (a^2 +
// dark^2), for the next correction. Reasons: python/symbreak/coherence/target.py, which does the
// same in torch for what this engine does not reach.
#include <algorithm>
#include <array>
#include <cmath>

#include "common/phasing_start.h"
#include "cpu/engine/solver.h"

namespace symbreak {
namespace {

constexpr double kWidest = 2.0;       // pixels
constexpr double kLongestStep = 0.5;  // pixels^2
constexpr double kRidge = 1e-6;       // of the curvature: keeps a step finite
constexpr double kLeastShare = 1e-6;  // of the slope beside a change that is nearly 0
constexpr double kLeastDark = 1e-30;  // of the largest intensity: every weight is finite

using Square = std::array<std::array<double, 3>, 3>;

// x with matrix x = rest, by elimination; the matrix is positive definite, so no pivots are needed.
// False if there is no finite one.
bool solve(Square matrix, std::array<double, 3>& rest, int size) {
  for (int column = 0; column < size; ++column) {
    for (int row = 0; row < size; ++row) {
      if (row == column) continue;
      const double factor = matrix[row][column] / matrix[column][column];
      for (int k = column; k < size; ++k) matrix[row][k] -= factor * matrix[column][k];
      rest[row] -= factor * rest[column];
    }
  }
  bool finite = true;
  for (int row = 0; row < size; ++row) {
    rest[row] /= matrix[row][row];
    finite = finite && std::isfinite(rest[row]);
  }
  return finite;
}

// One step of the variances; moments: kMoments sums, see kernels.h.
void refine(const double* moments, double* variances, int size) {
  std::array<double, 3> step{};
  std::copy_n(moments + 1, size, step.begin());
  Square curvature{};
  const double* pair = moments + 1 + size;
  for (int i = 0; i < size; ++i) {
    for (int j = i; j < size; ++j) curvature[i][j] = curvature[j][i] = *pair++;
  }
  for (int i = 0; i < size; ++i) curvature[i][i] *= 1 + kRidge;
  if (!solve(curvature, step, size)) return;
  for (int i = 0; i < size; ++i) {
    const double moved = variances[i] + std::clamp(step[i], -kLongestStep, kLongestStep);
    variances[i] = std::clamp(moved, 0.0, kWidest * kWidest);
  }
}

}  // namespace

template <typename T>
void Solver<T>::prepare_correction(int64_t index, bool ends) {
  const int size = static_cast<int>(task_.grid.rank);
  const double* variances = task_.blur->variances + index * size;
  const double* dark = task_.blur->dark;
  Correction<T>& correction = workspace_.correction();
  double peak = 1, widest = 0;
  for (int axis = 3 - size; axis < 3; ++axis) {
    const int64_t length = task_.grid.size[axis];
    const double variance = variances[axis - 3 + size];
    double sum = 0;
    for (int64_t u = 0; u < length; ++u) {
      const double f = double(std::min(u, length - u)) / double(length);
      const double slope = -2 * kPi * kPi * f * f, change = std::expm1(variance * slope);
      correction.slope[axis][u] = T(slope);
      correction.change[axis][u] = T(change);
      sum += 1 + change;
    }
    peak *= sum / double(length);
    widest = std::max(widest, variance);
  }
  correction.peak = T(peak);
  correction.share = T(std::clamp(widest, kLeastShare, 1.0));
  correction.is_volume = image_.is_volume();
  correction.fits = dark != nullptr && !ends;
  correction.ends = ends;
  if (correction.fits) {
    const double scaled = dark[index / task_.starts] * scale_;
    correction.dark = T(std::max(scaled * scaled, kLeastDark));
  }
}

template <typename T>
bool Solver<T>::correct(int64_t index, bool ends, double& error) {
  Correction<T>& correction = workspace_.correction();
  const bool volume = image_.is_volume();
  if (member_.leads()) prepare_correction(index, ends);
  transform_planes(&Image<T>::second, T(0));
  if (wait_and_agree()) return true;
  const int blocks = image_.outer_blocks();
  for_outer(blocks, [&](int begin, int end) {
    kernels_.coherent_outer(image_, correction, line(), begin, end);
  });
  if (wait_and_agree()) return true;
  if (member_.leads()) {
    correction.is_nothing =
        std::all_of(image_.partial, image_.partial + blocks, [](double sum) { return sum == 0; });
  }
  for_planes(image_.row_blocks, [&](int z, const Image<T>& plane, int begin, int end) {
    if (volume) kernels_.inverse_columns(plane, plane.second, 0, plane.column_blocks);
    kernels_.blurred_rows(plane, correction, z, line(), begin, end);
    if (!volume) return;
    kernels_.forward_columns(plane, plane.second, 0, plane.column_blocks);
    if (correction.fits) kernels_.forward_columns(plane, plane.state, 0, plane.column_blocks);
  });
  if (wait_and_agree()) return true;
  for_outer(blocks, [&](int begin, int end) {
    kernels_.corrected_outer(image_, correction, line(), begin, end);
  });
  member_.wait();
  if (member_.leads()) {
    const int size = static_cast<int>(task_.grid.rank);
    double moments[kMoments] = {};
    const int count = 1 + size + size * (size + 1) / 2;
    for (int block = 0; block < blocks; ++block) {
      for (int i = 0; i < count; ++i) moments[i] += correction.moments[block * kMoments + i];
    }
    // measured_power_ is that of the amplitudes times gain.
    const double gain = image_.gain;
    error = std::sqrt(gain * gain * moments[0] / measured_power_);
    if (correction.fits) refine(moments, task_.blur->variances + index * size, size);
  }
  if (correction.fits) transform_planes(&Image<T>::state, T(1));  // the slopes were there
  return wait_and_agree();
}

template void Solver<float>::prepare_correction(int64_t, bool);
template void Solver<double>::prepare_correction(int64_t, bool);
template bool Solver<float>::correct(int64_t, bool, double&);
template bool Solver<double>::correct(int64_t, bool, double&);

}  // namespace symbreak
