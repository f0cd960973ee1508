#!/usr/bin/env bash
# What there is to do on a machine with a GPU, as `make gpu`: build for it, run the test suite on it,
# compute-sanitizer on small calls, and the benchmarks. Leaves one CSV and one text summary; a step
# that fails or runs out of time is told in the summary and does not stop the others.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python}
seconds=${SECONDS_PER_CASE:-4}
export PYTHONPATH=python

name=$("$python" -c 'import torch; print(torch.cuda.get_device_name().lower().replace(" ", "-"))') || exit 1
csv=${CSV:-bench/results/$name.csv}
logs=build/gpu
summary=$logs/summary.txt
mkdir -p "$logs"
{
  date -u
  nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
  "$python" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda)'
  git describe --always --dirty 2>/dev/null
} | tee "$summary"

failed=0
step() {  # step NAME LIMIT COMMAND...: its output in $logs/NAME.log, its end in the summary
  local name=$1 limit=$2 begin=$SECONDS
  shift 2
  timeout "$limit" "$@" >"$logs/$name.log" 2>&1
  local code=$?
  [ $code -eq 0 ] || failed=1
  printf '\n%s: exit %d after %d s (%s)\n' "$name" $code $((SECONDS - begin)) "$logs/$name.log" | tee -a "$summary"
  tail -n 8 "$logs/$name.log" | tee -a "$summary"
}

step build "${BUILD_LIMIT:-540}" make dev PYTHON="$python" CUDA=ON CMAKE_ARGS=-DCMAKE_CUDA_ARCHITECTURES=native
[ $failed -eq 0 ] || exit 1
step tests "${TEST_LIMIT:-540}" env SYMBREAK_TEST_DEVICES=cuda "$python" -m pytest -q -m "not slow"
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck; do
    step $tool 180 compute-sanitizer --tool $tool --error-exitcode 1 "$python" bench/small_calls.py
  done
else
  echo "compute-sanitizer is not installed here" | tee -a "$summary"
fi
step bench "${BENCH_LIMIT:-540}" "$python" bench/run.py --device cuda --seconds "$seconds" --csv "$csv"
cat "$logs/bench.log" >>"$summary"
printf '\nresults: %s\nsummary: %s\n' "$csv" "$summary"
exit $failed
