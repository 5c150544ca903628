#!/usr/bin/env bash
# Runs each fuzz target for the given time. Usage: run.sh BUILD_DIRECTORY SECONDS
# New inputs go to BUILD_DIRECTORY/corpus; inputs worth keeping belong in tests/fuzz/corpus/NAME.
set -euo pipefail

build=${1:?usage: run.sh BUILD_DIRECTORY SECONDS}
seconds=${2:?usage: run.sh BUILD_DIRECTORY SECONDS}
seeds="$(dirname "$(readlink -f "$0")")/corpus"
status=0
count=0

for target in "$build"/*_fuzz; do
  [[ -x $target ]] || continue
  count=$((count + 1))
  name=$(basename "$target" _fuzz)
  corpora=("$build/corpus/$name")
  mkdir -p "${corpora[0]}"
  if [[ -d $seeds/$name ]]; then
    corpora+=("$seeds/$name")
  fi
  echo "fuzz: $name for $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$build/$name-" "${corpora[@]}" 2>"$build/$name.log" || {
    echo "fuzz: $name found a failing input:" >&2
    tail -n 60 "$build/$name.log" >&2
    status=1
  }
  grep -E '^stat::(number_of_executed_units|new_units_added)' "$build/$name.log" || true
done

if [[ $count -eq 0 ]]; then
  echo "fuzz: no target was built in $build; tests/fuzz holds no *_fuzz.cpp." >&2
  exit 1
fi
exit $status
