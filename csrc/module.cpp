// The Python module: importing it runs the op registrations. Beside them it tells how it was built,
// and holds what is not an op on tensors: the parser of schedules and the monitor.
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <torch/headeronly/version.h>

#include <string>
#include <utility>
#include <vector>

#include "common/monitor.h"
#include "common/schedule.h"
#include "cpu/isa.h"

namespace py = pybind11;
using symbreak::Monitor;

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
  py::class_<Monitor, std::shared_ptr<Monitor>>(m, "Monitor")
      .def(py::init(&Monitor::create))
      .def_property_readonly("id", &Monitor::id)
      .def_property_readonly("done", &Monitor::done)
      .def("stop", &Monitor::stop);
}
