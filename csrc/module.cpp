// The Python module: importing it runs the op registrations; build_info() reports how it was built.
#include <pybind11/pybind11.h>
#include <torch/headeronly/version.h>

namespace py = pybind11;

PYBIND11_MODULE(_C, m) {
  m.doc() = "Compiled kernels of symbreak; use the functions of the package instead.";
  m.def("build_info", [] {
    py::dict info;
    info["version"] = SYMBREAK_VERSION;
    info["torch"] = TORCH_VERSION;
    info["compiler"] = __VERSION__;
    info["cuda_archs"] = SYMBREAK_CUDA_ARCHS;
    return info;
  });
}
