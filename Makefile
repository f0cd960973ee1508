# The developer's loop. Users need none of this: pip install . builds everything.
PYTHON ?= python
CUDA ?= OFF

PTX_TESTS = center break_symmetry reindex apply_symmetry fourier_amplitude align align_edges

.PHONY: configure dev emulated ptx test docs aarch64 gpu sanitize lint format

configure:
	cmake -S . -B build/dev -G Ninja -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(PYTHON) -m pybind11 --cmakedir) -DSYMBREAK_CUDA=$(CUDA) -DSYMBREAK_EMULATE=ON \
	  -DSYMBREAK_WERROR=ON \
	  $(CMAKE_ARGS)

dev: configure  ## build the kernels in place: python/symbreak/_C*.so
	cmake --build build/dev --target _C
	cmake -E copy build/dev/_C.*.so python/symbreak/

emulated: configure  ## build the CUDA kernels for the CPU in place: python/symbreak/_C_emulated*.so
	cmake --build build/dev --target _C_emulated
	cmake -E copy build/dev/_C_emulated.*.so python/symbreak/

ptx:  ## the operators' tests on the PTX that nvcc makes of the kernels, interpreted on the CPU
	$(PYTHON) tests/ptx_build.py build/ptx
	LD_PRELOAD=$(CURDIR)/build/ptx/libptx.so SYMBREAK_EMULATE_CUDA=1 PYTHONPATH=build/ptx $(PYTHON) -m pytest -q \
	  -p no:cacheprovider -k "not compile and not bad_arguments and not gradient and not opcheck and not thread" \
	  $(PTX_TESTS:%=tests/test_%.py) tests/phasing_engines.py $(PTX_ARGS)

test: dev
	PYTHONPATH=python $(PYTHON) -m pytest

docs:  ## the site, for reading from the disk: site/index.html; a warning is an error
	PYTHONPATH=python NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

# The phasing engine alone, cross-compiled for 64-bit ARM, against this machine's; needs Debian's
# g++-aarch64-linux-gnu and qemu-user. `make dev` has to have been run, or symbreak be installed.
CROSS ?= aarch64-linux-gnu-g++
ENGINE_SOURCES = tests/engine_alone.cpp csrc/common/schedule.cpp csrc/cpu/isa.cpp $(wildcard csrc/cpu/engine/kernels_*.cpp) \
  $(addprefix csrc/cpu/engine/,dispatch.cpp engine.cpp layout.cpp plan.cpp solver.cpp solver_coherence.cpp solver_start.cpp team.cpp)

aarch64:  ## the engine's kernels for ARM, run by emulation
	mkdir -p build/aarch64
	$(CROSS) -static -pthread -O2 -std=c++20 -fno-math-errno -ffp-contract=fast -Wall -Wextra -Werror -Wno-psabi \
	  -DSYMBREAK_ISA=baseline -Icsrc $(ENGINE_SOURCES) -o build/aarch64/engine_alone
	SYMBREAK_ENGINE_ALONE="qemu-aarch64 build/aarch64/engine_alone" PYTHONPATH=python \
	  $(PYTHON) -m pytest -q -p no:cacheprovider tests/test_engine_alone.py

gpu:  ## on a machine with a GPU: build, test, sanitize, measure; STAGES="build test" for some
	PYTHON=$(PYTHON) bench/gpu.sh $(STAGES)

# The operators under AddressSanitizer and UndefinedBehaviorSanitizer, in a copy of the package.
# Leaks are left out: those of Python and of torch drown ours. AVX-512 is not instrumented.
SANITIZED = build/sanitize/python
REPORT = $(CURDIR)/build/sanitize/report
OPERATOR_TESTS = align apply_symmetry bad_input break_symmetry center coherence_engine engine fourier_amplitude \
  reconstruct reconstruct_errors reindex sa_mse schedule threads views

sanitize:  ## find wrong memory accesses and undefined behaviour (g++)
	cmake -S . -B build/sanitize -G Ninja -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(PYTHON) -m pybind11 --cmakedir) -DSYMBREAK_CUDA=OFF -DSYMBREAK_SANITIZE=ON
	cmake --build build/sanitize
	rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -r python/symbreak $(SANITIZED)
	rm -f $(SANITIZED)/symbreak/*.so $(REPORT).* && cp build/sanitize/_C*.so $(SANITIZED)/symbreak
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0:log_path=$(REPORT) UBSAN_OPTIONS=print_stacktrace=1:log_path=$(REPORT) \
	  PYTHONPATH=$(SANITIZED) \
	  $(if $(filter x86_64,$(shell uname -m)),SYMBREAK_CPU_ISA=avx2) \
	  $(PYTHON) -m pytest -q -p no:cacheprovider $(SANITIZE_ARGS) $(OPERATOR_TESTS:%=tests/test_%.py) \
	  || { cat $(REPORT).*; exit 1; }  # a process that ends takes with it what pytest has caught

lint:
	ruff check . && ruff format --check . && mypy
	clang-format --dry-run --Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/*.cpp' 'tests/*.h' 'tests/*.cu')

format:
	ruff check --fix . ; ruff format .
	clang-format -i $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/*.cpp' 'tests/*.h' 'tests/*.cu')
