# _C_emulated: the extension module with the CUDA sources, compiled by g++ with csrc/emulation and
# registered for CPU tensors. Ops that have no CUDA source keep that of csrc/cpu.
set(_emulated csrc/emulation/fibers.cpp csrc/emulation/grid.cpp)
foreach(_op IN LISTS SYMBREAK_CPU_OPS)
  if(NOT "csrc/cuda/${_op}.cu" IN_LIST SYMBREAK_CUDA_SOURCES)
    list(APPEND _emulated csrc/cpu/${_op}.cpp)
  endif()
endforeach()
# A .cu file has one language in a CMake project, hence a C++ file that includes it.
foreach(_source IN LISTS SYMBREAK_CUDA_SOURCES)
  string(REGEX REPLACE "^csrc/(.*)\\.cu$" "\\1" _name ${_source})
  set(_wrapper ${CMAKE_CURRENT_BINARY_DIR}/emulated/${_name}.cpp)
  file(CONFIGURE OUTPUT ${_wrapper} CONTENT "#include \"${_name}.cu\"\n" @ONLY)
  list(APPEND _emulated ${_wrapper})
endforeach()
symbreak_module(_C_emulated ${_emulated})
target_compile_definitions(_C_emulated PRIVATE SYMBREAK_EMULATED)
