# The developer's loop. Users need none of this: pip install . builds everything.
PYTHON ?= python
CUDA ?= OFF

.PHONY: configure dev emulated test docs aarch64 gpu sanitize lint format

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

docs:  ## the site, for reading from the disk: site/index.html; a warning is an error
	PYTHONPATH=python NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

gpu:  ## on a machine with a GPU: build, test, sanitize, measure; STAGES="build test" for some
	PYTHON=$(PYTHON) bench/gpu.sh $(STAGES)

# The operators under AddressSanitizer and UndefinedBehaviorSanitizer, in a copy of the package.
# Leaks are left out: those of Python and of torch drown ours.
SANITIZED = build/sanitize/python
OPERATOR_TESTS = align apply_symmetry bad_input break_symmetry center engine fourier_amplitude \
  reconstruct reconstruct_errors reindex sa_mse schedule threads

sanitize:  ## find wrong memory accesses and undefined behaviour (g++)
	cmake -S . -B build/sanitize -G Ninja -DPython_EXECUTABLE=$$($(PYTHON) -c 'import sys; print(sys.executable)') \
	  -Dpybind11_DIR=$$($(PYTHON) -m pybind11 --cmakedir) -DSYMBREAK_CUDA=OFF -DSYMBREAK_SANITIZE=ON
	cmake --build build/sanitize
	rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -r python/symbreak $(SANITIZED)
	cp build/sanitize/_C*.so $(SANITIZED)/symbreak
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libubsan.so)" \
	  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONPATH=$(SANITIZED) \
	  $(PYTHON) -m pytest -q -p no:cacheprovider $(SANITIZE_ARGS) $(OPERATOR_TESTS:%=tests/test_%.py)

lint:
	ruff check . && ruff format --check . && mypy
	clang-format --dry-run --Werror $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/*.cpp')

format:
	ruff check --fix . ; ruff format .
	clang-format -i $$(git ls-files 'csrc/*.h' 'csrc/*.cpp' 'csrc/*.cu' 'tests/*.cpp')
