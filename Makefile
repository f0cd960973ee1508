# The developer's loop. Users need none of this: pip install . builds everything.
PYTHON ?= python
CUDA ?= OFF

.PHONY: configure dev emulated test lint format

configure:
	cmake -S . -B build/dev -G Ninja -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(PYTHON) -m pybind11 --cmakedir) -DSYMBREAK_CUDA=$(CUDA) -DSYMBREAK_EMULATE=ON \
	  $(CMAKE_ARGS)

dev: configure  ## build the kernels in place: python/symbreak/_C*.so
	cmake --build build/dev --target _C
	cmake -E copy build/dev/_C.*.so python/symbreak/

emulated: configure  ## build the CUDA kernels for the CPU in place: python/symbreak/_C_emulated*.so
	cmake --build build/dev --target _C_emulated
	cmake -E copy build/dev/_C_emulated.*.so python/symbreak/

test: dev
	PYTHONPATH=python $(PYTHON) -m pytest

lint:
	ruff check . && ruff format --check . && mypy
	clang-format --dry-run --Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'csrc/*.cuh')

format:
	ruff check --fix . ; ruff format .
	clang-format -i $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'csrc/*.cuh')
