#!/usr/bin/env bash
# What there is to do on a machine with a GPU: bench/gpu.sh [STAGE...], also as `make gpu`.
#
#   build       the kernels for this GPU alone, in place; PREBUILT=1: the first time not, where the
#               library that is there runs on this GPU
#   test        the suite on the GPU: the phasing engines, then what takes a device, then all else,
#               which needs no GPU; TESTS="engines device" for these alone
#   sanitize    compute-sanitizer on a small call of every operator and engine; SANITIZERS="memcheck"
#               for some of its tools
#   bench       bench/run.py: one CSV; BENCH_ARGS="--case hio" for some cases
#   throughput  bench/throughput.py: the commands on data sets, the column of docs/scale.md;
#               THROUGHPUT_ARGS="--rounds 3" for its options
#   profile     ncu on a full GPU: time, bytes and what bounds each kernel
#   crossovers  every engine over sizes and batches, and the table for csrc/cuda/crossovers.h;
#               CROSSOVERS_ARGS="--sizes 64 128" for one run of some of them
#   steps       bench/training_steps.py: a training step at the paper's scale in several ways
#   train       the paper's tables at its scale, several cells at once; a next time continues
#
# Without a stage: all but the last two. A step has its own limit of seconds (TEST_LIMIT=300, ...), all of
# them together LIMIT; a step that fails or runs out of time is told in the summary and does not stop
# the others. The CSVs, the summary and the logs go to the folder OUT, where that is set, after every
# step: what ends the script early loses the step it is in, no more. With
# CUDA_FLAGS=-lineinfo the tools name lines of source (and one test fails, which looks for paths).
# Nothing is downloaded, and no setting of the GPU is changed.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
logs=${LOGS:-build/gpu}
began=$SECONDS
export PYTHONPATH=$PWD/python${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1

known=" build test sanitize bench throughput profile crossovers steps train "
stages=${*:-build test sanitize bench throughput profile crossovers}
for stage in $stages; do
  [[ $known == *" $stage "* ]] || { echo "gpu.sh: no stage $stage; there are:$known" >&2; exit 2; }
done

query() { nvidia-smi --id=0 --query-gpu="$1" --format=csv,noheader 2>/dev/null; }
if ! name=$(query name) || [ -z "$name" ]; then
  echo "gpu.sh: no GPU here: nvidia-smi is missing or finds none." >&2
  exit 2
fi
if ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
  echo "gpu.sh: there is a GPU ($name), but the torch of $python cannot use it." >&2
  exit 2
fi
# Where CUDA's tools are, if they are not on the path.
[ ! -d /usr/local/cuda/bin ] || PATH=$PATH:/usr/local/cuda/bin
arch=$(query compute_cap | tr -d .)
csv=${CSV:-bench/results/$(tr 'A-Z ' 'a-z-' <<<"$name").csv}
summary=$logs/summary.txt
mkdir -p "$logs"
{
  date -u
  echo "GPU $(query name,driver_version,memory.total), compute capability $arch"
  "$python" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda)'
  git describe --always --dirty 2>/dev/null
  echo "stages: $stages"
} | tee "$summary"

# Without importing it, which takes seconds for some.
has() {
  "$python" -c 'import sys, importlib.util as u; sys.exit(u.find_spec(sys.argv[1]) is None)' "$1"
}
for module in h5py tifffile matplotlib typer rich shapely scipy lightning tensorboard pytest hypothesis; do
  has $module || echo "missing: $module; what needs it fails" | tee -a "$summary"
done

# Few files, for where few may be brought back; the other CSVs are among the logs.
save() {
  [ -n "${OUT:-}" ] || return 0
  local file
  mkdir -p "$OUT"
  for file in "$summary" "$csv" bench/results/throughput-cuda.csv csrc/cuda/crossovers.h \
    "$logs"/crossovers*.csv; do
    [ ! -f "$file" ] || cp "$file" "$OUT"
  done
  tar -czf "$OUT/logs.part" -C "$logs" --exclude='*.ckpt' --exclude='events.*' .
  mv "$OUT/logs.part" "$OUT/logs.tar.gz"
}

failed=()
step() {  # step NAME LIMIT COMMAND...: its output in $logs/NAME.log, its end in the summary
  local name=$1 limit=$2 begin=$SECONDS left code
  shift 2
  left=$((${LIMIT:-1000000} - (SECONDS - began)))
  if [ $left -lt 10 ]; then
    echo "$name: left out, the limit of $LIMIT s is reached" | tee -a "$summary"
    failed+=("$name")
    return 1
  fi
  # Not only the command ends at its limit, but all that it has started.
  timeout --kill-after=10 $((limit < left ? limit : left)) "$@" >"$logs/$name.log" 2>&1
  code=$?
  [ $code -eq 0 ] || failed+=("$name")
  {
    printf '\n%s: ' "$name"
    case $code in
      0) printf 'ok' ;;
      124 | 137) printf 'FAILED, out of time' ;;
      *) printf 'FAILED, exit %d' $code ;;
    esac
    printf ' after %d s (%s.log)\n' $((SECONDS - begin)) "$name"
    grep -E '^(FAILED|ERROR) ' "$logs/$name.log" | head -40
    tail -n "${TAIL:-8}" "$logs/$name.log"
  } | tee -a "$summary"
  save
  return $code
}

built() { "$python" -c 'import symbreak, sys; sys.exit(not symbreak.build_info()["cuda"])' 2>/dev/null; }
need_build() {
  built && return
  echo "$1: no CUDA build of symbreak here; the stage build comes first" | tee -a "$summary"
  failed+=("$1")
  return 1
}

build() {
  local folder=build/sm_$arch paths
  if [ -n "${PREBUILT:-}" ] && built; then
    PREBUILT=  # the next one has a reason, as a table of crossovers that was measured here
    echo "build: the library that is here" | tee -a "$summary"
    return
  fi
  paths=$("$python" -c 'import sys, pybind11; print(sys.executable, pybind11.get_cmake_dir())')
  step build "${BUILD_LIMIT:-400}" bash -e -c '
    cmake -S . -B "$1" -G Ninja -DPython_EXECUTABLE="$2" -Dpybind11_DIR="$3" -DSYMBREAK_CUDA=ON \
      -DSYMBREAK_EMULATE=OFF -DCMAKE_CUDA_ARCHITECTURES="$4" -DCMAKE_CUDA_FLAGS="$5"
    cmake --build "$1" --target _C
    cmake -E copy "$1"/_C.*.so python/symbreak/' build "$folder" "${paths% *}" "${paths##* }" "$arch" "${CUDA_FLAGS:-}"
}

run_tests() {
  local workers=() limit=() part chosen
  # Several tests at once where pytest-xdist is there; a test that hangs ends where pytest-timeout is.
  has xdist && workers=(-n "${TEST_WORKERS:-8}") && export OMP_NUM_THREADS=2
  has pytest_timeout && limit=(--timeout=200 --timeout-method=thread)
  local pytest=("$python" -m pytest -q --durations=5 -p no:benchmark
    --continue-on-collection-errors "${workers[@]}" "${limit[@]}")
  for part in ${TESTS:-engines device others}; do
    case $part in
      engines) chosen=(SYMBREAK_EMULATE_CUDA=0 "${pytest[@]}" tests/phasing_engines.py) ;;
      # Of the files that name a device: each worker collects all that it is given.
      device) chosen=(SYMBREAK_TEST_DEVICES=cuda "${pytest[@]}" -k "cuda and not test_cuda_"
        $(grep -lw device tests/test_*.py)) ;;
      others) chosen=(SYMBREAK_TEST_DEVICES=cuda "${pytest[@]}" -k "not cuda") ;;
    esac
    step "$part" "${TEST_LIMIT:-240}" env "${chosen[@]}"
  done
  unset OMP_NUM_THREADS
}

sanitize() {
  local tool ours
  if ! command -v compute-sanitizer >/dev/null; then
    echo "sanitize: compute-sanitizer is not installed here" | tee -a "$summary"
    failed+=(sanitize)
    return
  fi
  # The most telling first: a limit of time cuts off the end.
  for tool in ${SANITIZERS:-memcheck racecheck synccheck initcheck}; do
    # Only our kernels are instrumented; but what torch's kernels have written is not known to be
    # initialised unless they are, too. Each tensor gets its own allocation, so that reaching past
    # one is not lost in torch's pool. Python's bindings ask the driver for functions that it may not
    # have: no fault; our own calls are checked by us.
    ours=(--report-api-errors no --kernel-name kns=symbreak)
    [ $tool != initcheck ] || ours=(--report-api-errors no)
    step $tool "${SANITIZE_LIMIT:-60}" env PYTORCH_NO_CUDA_MEMORY_CACHING=1 \
      compute-sanitizer --tool $tool "${ours[@]}" --error-exitcode 1 \
      "$python" bench/small_calls.py
  done
}

bench() {
  # shellcheck disable=SC2086  # options
  TAIL=400 step bench "${BENCH_LIMIT:-300}" "$python" bench/run.py --device cuda \
    --seconds "${SECONDS_PER_CASE:-2}" --csv "$csv" ${BENCH_ARGS:-}
}

throughput() {
  # shellcheck disable=SC2086  # options
  step throughput "${THROUGHPUT_LIMIT:-150}" "$python" bench/throughput.py --device cuda \
    ${THROUGHPUT_ARGS:-}
}

profile() {
  local metrics=gpu__time_duration.sum,dram__bytes.sum,lts__t_bytes.sum
  metrics+=,dram__throughput.avg.pct_of_peak_sustained_elapsed
  metrics+=,lts__throughput.avg.pct_of_peak_sustained_elapsed
  metrics+=,sm__throughput.avg.pct_of_peak_sustained_elapsed
  metrics+=,l1tex__throughput.avg.pct_of_peak_sustained_active
  metrics+=,sm__warps_active.avg.pct_of_peak_sustained_active,launch__registers_per_thread
  if ! command -v ncu >/dev/null; then
    echo "profile: ncu is not installed here" | tee -a "$summary"
    return
  fi
  # What the predictions of docs/cuda.md are made of, and what the warps wait for. On its own: ncu
  # refuses a list with one name that it does not know.
  local counts=smsp__inst_executed.sum,smsp__issue_active.avg.pct_of_peak_sustained_active reason
  counts+=,l1tex__data_pipe_lsu_wavefronts_mem_shared.sum
  counts+=,l1tex__data_bank_conflicts_pipe_lsu_mem_shared.sum
  for reason in barrier short_scoreboard long_scoreboard mio_throttle no_instruction membar wait; do
    counts+=,smsp__average_warps_issue_stalled_${reason}_per_issue_active.ratio
  done
  # Every launch is replayed many times over: so only those that the calls are about, not the
  # pointwise ones, of which a random start has many.
  local kernels='on_chip|row_sweep|column_sweep|place'
  kernels+='|survey_pairs|inner_products|choose|compare|select'
  # The clocks stay as they are, and the caches hold what the launch before left in them, as in a run:
  # parts of a batch are as large as the L2 cache on purpose.
  local ncu=(ncu --clock-control none --cache-control none --profile-from-start off
    --kernel-name-base mangled --kernel-name "regex:symbreak.*[0-9]($kernels)_kernel" --csv --page raw)
  step profile "${PROFILE_LIMIT:-150}" "${ncu[@]}" --metrics "$metrics" \
    --log-file "$logs/profile.csv" "$python" bench/profiled_calls.py
  step counts "${PROFILE_LIMIT:-150}" "${ncu[@]}" --metrics "$counts" \
    --log-file "$logs/profile_counts.csv" "$python" bench/profiled_calls.py
}

crossovers() {
  # shellcheck disable=SC2086  # options
  step crossovers "${CROSSOVERS_LIMIT:-200}" "$python" bench/crossovers.py --write \
    --csv "$logs/crossovers.csv" ${CROSSOVERS_ARGS:-}
  [ -z "${CROSSOVERS_ARGS:-}" ] || return
  step crossovers64 "${CROSSOVERS_LIMIT:-200}" "$python" bench/crossovers.py --write --bits 64 \
    --sizes 64 128 256 512 --csv "$logs/crossovers64.csv"
}

steps() {
  TAIL=30 step steps "${STEPS_LIMIT:-150}" "$python" bench/training_steps.py --csv "$logs/steps.csv"
}

train() {
  local folder=${TABLES:-$logs/tables}
  # shellcheck disable=SC2086  # options
  step train "${TRAIN_LIMIT:-570}" "$python" -m symbreak experiment tables --scale paper \
    -o "$folder" --jobs "${JOBS:-8}" --workers "$(nproc)" ${TRAIN_ARGS:-}
  "$python" - "$folder" <<'END' | tee -a "$summary"
import json, pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).glob("cells/*/result.json")):
    cell = json.loads(path.read_text())
    print(f"{path.parent.name}: {cell['test_best']['sa_mse_ratio']:.4f} of zero, "
          f"{cell['epochs']} epochs, {cell['seconds']:.0f} s")
END
}

for stage in $stages; do
  case $stage in
    build) build || break ;;  # nothing to test or to measure then
    test) need_build test && run_tests ;;
    sanitize) need_build sanitize && sanitize ;;
    *) need_build "$stage" && "$stage" ;;
  esac
done

{
  printf '\n%s after %d s\n' "${failed[*]:+failed: ${failed[*]}}" $((SECONDS - began))
  [ ${#failed[@]} -gt 0 ] || echo "everything passed"
} | tee -a "$summary"
save
[ ${#failed[@]} -eq 0 ]
