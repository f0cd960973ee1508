// Every op of symbreak on one screen. Shapes, units and errors: the docstrings in
// python/symbreak/ops.
#include "common/stable.h"

STABLE_TORCH_LIBRARY(symbreak, m) {
  m.def(
      "center(Tensor x, *, float tol=0.0, bool wrap=False, int ndim=2) -> (Tensor object, Tensor "
      "shift)");

  m.def(
      "break_symmetry(Tensor x, *, float tol=0.0, int ndim=2, str rule='angle')"
      " -> (Tensor object, Tensor shift, Tensor flipped, Tensor phase, Tensor margin)");

  m.def(
      "apply_symmetry(Tensor x, *, Tensor? shift=None, Tensor? flipped=None, Tensor? phase=None,"
      " bool wrap=False, int ndim=2) -> Tensor");
  m.def(
      "reindex(Tensor x, Tensor offset, Tensor flipped, Tensor phase, *, bool wrap, int ndim) -> "
      "Tensor");
  m.def("flip_pivot(Tensor x, *, bool wrap, int ndim) -> Tensor");

  m.def(
      "fourier_amplitude(Tensor x, *, int oversampling=2, SymInt[]? shape=None, int ndim=2) -> "
      "Tensor");

  m.def(
      "align(Tensor estimate, Tensor reference, *, bool wrap=False, int ndim=2)"
      " -> (Tensor object, Tensor shift, Tensor flipped, Tensor phase, Tensor sa_mse)");
  m.def(
      "best_element(Tensor estimate, Tensor reference, *, bool wrap, int ndim)"
      " -> (Tensor offset, Tensor shift, Tensor flipped, Tensor phase, Tensor sa_mse)");
  m.def("sa_mse(Tensor estimate, Tensor reference, *, bool wrap=False, int ndim=2) -> Tensor");

  m.def(
      "reconstruct(Tensor amplitude, str schedule='3*(20*ER+180*HIO)+20*ER', Tensor? valid=None,"
      " Tensor? support=None, Tensor? initial=None, Tensor? seed=None, Tensor? saturated=None, *,"
      " float beta=0.9,"
      " int shrinkwrap_every=20, float shrinkwrap_sigma=3.0, float shrinkwrap_sigma_min=1.5,"
      " float shrinkwrap_decay=0.99, float shrinkwrap_threshold=0.2,"
      " float[]? shrinkwrap_area=None, int shrinkwrap_hold=0,"
      " bool shrinkwrap_of_rms=False, int starts=1, int first_start=0,"
      " int before=0, int after=0, int ndim=2, int record_every=0,"
      " float phase_limit=3.141592653589793, int shrinkwrap_average=0, int monitor=0)"
      " -> (Tensor object, Tensor support, Tensor error, Tensor history)");
  // On the CPU, for grids that its fused engine reaches.
  m.def(
      "reconstruct_blurred(Tensor amplitude, Tensor variances, Tensor? dark, str schedule,"
      " Tensor? valid=None, Tensor? support=None, Tensor? initial=None, Tensor? seed=None, *,"
      " int first, int every, float beta=0.9, int shrinkwrap_every=20,"
      " float shrinkwrap_sigma=3.0, float shrinkwrap_sigma_min=1.5, float shrinkwrap_decay=0.99,"
      " float shrinkwrap_threshold=0.2, float[]? shrinkwrap_area=None, int shrinkwrap_hold=0,"
      " bool shrinkwrap_of_rms=False, int starts=1, int first_start=0, int ndim=2,"
      " float phase_limit=3.141592653589793, int monitor=0)"
      " -> (Tensor object, Tensor support, Tensor error, Tensor history, Tensor refined)");
}
