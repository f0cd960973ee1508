# torch_stable: PyTorch's headers and libtorch.so, found without find_package(Torch).
#
# Only the stable ABI (torch/csrc/stable, torch/headeronly) is used, so nothing of Torch's own CMake
# package is needed: on a CUDA build of torch that package insists on a full CUDA toolkit.
set(_find "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')")
foreach(_flag "" "-I")   # "-I": see the installed torch from inside pip's isolated build environment
  if(NOT TORCH_ROOT)
    execute_process(COMMAND ${Python_EXECUTABLE} ${_flag} -c "${_find}"
      OUTPUT_VARIABLE TORCH_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
endforeach()
if(NOT EXISTS "${TORCH_ROOT}/include/torch/headeronly/version.h")
  message(FATAL_ERROR "symbreak: no torch >= 2.11 found for ${Python_EXECUTABLE}. "
    "Install torch first, then run: pip install --no-build-isolation .")
endif()
file(STRINGS "${TORCH_ROOT}/include/torch/headeronly/version.h" _version
  REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX REPLACE "[^0-9]+([0-9]+)[^0-9]+([0-9]+).*" "\\1.\\2" TORCH_FOUND_VERSION "${_version}")
if(TORCH_FOUND_VERSION VERSION_LESS 2.11)
  message(FATAL_ERROR "symbreak: torch must be at least 2.11, found ${TORCH_FOUND_VERSION} at ${TORCH_ROOT}.")
endif()
message(STATUS "symbreak: torch ${TORCH_FOUND_VERSION} at ${TORCH_ROOT}")

add_library(torch_stable INTERFACE)
target_include_directories(torch_stable SYSTEM INTERFACE "${TORCH_ROOT}/include")
# USE_CUDA only makes the CUDA part of the stable shim visible; it is declared weak where it is used.
target_compile_definitions(torch_stable INTERFACE TORCH_TARGET_VERSION=0x020b000000000000 USE_CUDA)
if(APPLE)
  # Its linker keeps every library that is named.
  target_link_libraries(torch_stable INTERFACE
    "${TORCH_ROOT}/lib/libtorch.dylib" "${TORCH_ROOT}/lib/libtorch_cpu.dylib")
else()
  # libtorch.so itself depends on libtorch_cpu.so and, in CUDA builds of torch, on libtorch_cuda.so:
  # it has to stay among the needed libraries although no symbol of it is used directly.
  target_link_libraries(torch_stable INTERFACE
    "-Wl,--push-state,--no-as-needed" "${TORCH_ROOT}/lib/libtorch.so" "${TORCH_ROOT}/lib/libtorch_cpu.so" "-Wl,--pop-state")
endif()
