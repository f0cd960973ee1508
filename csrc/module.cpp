// The Python module: importing it runs the op registrations. Beside them it tells how it was built,
// and holds what is not an op on tensors: the parser of schedules and the monitor.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <torch/headeronly/version.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/monitor.h"
#include "common/schedule.h"
#include "cpu/engine.h"
#include "cpu/isa.h"

namespace py = pybind11;

namespace {

// A monitor that listens to Ctrl-C and calls `look(done)`. What either of them raises stops the op,
// and is kept, since an op of torch hands on no exception of Python.
class Watch {
 public:
  explicit Watch(py::object look)
      : look_(std::move(look)), monitor_(symbreak::Monitor::create([this](int64_t done) {
          const py::gil_scoped_acquire gil;  // torch has let go of it
          try {
            if (PyErr_CheckSignals() != 0) throw py::error_already_set();
            if (!look_.is_none()) look_(done);
          } catch (const py::error_already_set& error) {
            error_ = error.value();
          }
          return error_.is_none();
        })) {}
  Watch(const Watch&) = delete;  // the monitor holds its address
  Watch& operator=(const Watch&) = delete;

  int64_t id() const { return monitor_->id(); }
  int64_t done() const { return monitor_->done(); }
  void stop() { monitor_->stop(); }
  py::object error() const { return error_; }

 private:
  py::object look_;
  py::object error_ = py::none();
  std::shared_ptr<symbreak::Monitor> monitor_;
};

}  // namespace

PYBIND11_MODULE(SYMBREAK_MODULE, m) {
  m.doc() = "Compiled kernels of symbreak; use the functions of the package instead.";
  m.def("build_info", [] {
    py::dict info;
    info["version"] = SYMBREAK_VERSION;
    info["torch"] = TORCH_VERSION;
    info["compiler"] = __VERSION__;
    info["cuda_archs"] = SYMBREAK_CUDA_ARCHS;
#if defined(SYMBREAK_EMULATED)
    info["emulated_cuda"] = true;
#else
    info["emulated_cuda"] = false;
#endif
    info["cpu_isa"] = symbreak::isa_name(symbreak::selected_isa());
    py::list isas;
    for (const auto isa : {symbreak::Isa::kBaseline, symbreak::Isa::kAvx2, symbreak::Isa::kAvx512vl,
                           symbreak::Isa::kAvx512}) {
      if (symbreak::isa_available(isa)) isas.append(symbreak::isa_name(isa));
    }
    info["cpu_isas"] = isas;
    return info;
  });
  m.def("parse_schedule", [](const std::string& text) {
    std::vector<std::pair<std::string, int64_t>> steps;
    for (const auto& [algorithm, count] : symbreak::parse_schedule(text)) {
      steps.emplace_back(symbreak::algorithm_name(algorithm), count);
    }
    return steps;
  });
  // Whether a grid of 2 or 3 axes is phased by the fused engine of the CPU.
  m.def("has_fused_engine", []([[maybe_unused]] const std::vector<int64_t>& grid) {
#if defined(SYMBREAK_EMULATED)
    return false;
#else
    return symbreak::has_fused_engine(
        symbreak::make_grid(grid, static_cast<int64_t>(grid.size())));
#endif
  });
  py::class_<Watch>(m, "Monitor")
      .def(py::init<py::object>(), py::arg("look") = py::none())
      .def_property_readonly("id", &Watch::id)
      .def_property_readonly("done", &Watch::done)
      .def_property_readonly("error", &Watch::error)
      .def("stop", &Watch::stop);
}
