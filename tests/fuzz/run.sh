#!/usr/bin/env bash
# Runs the fuzz targets one after the other, each for its share of the time.
# Usage: run.sh BUILD_DIRECTORY SECONDS [TARGET...]
# New inputs go to BUILD_DIRECTORY/corpus; inputs worth keeping belong in tests/fuzz/corpus/NAME.
set -euo pipefail

usage="usage: run.sh BUILD_DIRECTORY SECONDS [TARGET...]"
build=${1:?$usage}
seconds=${2:?$usage}
shift 2
seeds="$(dirname "$(readlink -f "$0")")/corpus"
declare -A seeds_of=([derive]=language)  # targets that share the inputs of another

targets=()
for target in "$build"/*_fuzz; do
  name=$(basename "$target" _fuzz)
  if [[ -x $target && ($# -eq 0 || " $* " == *" $name "*) ]]; then
    targets+=("$name")
  fi
done
if [[ ${#targets[@]} -eq 0 ]]; then
  echo "fuzz: no such target was built in $build." >&2
  exit 1
fi

share=$((seconds / ${#targets[@]} > 0 ? seconds / ${#targets[@]} : 1))
status=0
for name in "${targets[@]}"; do
  corpora=("$build/corpus/$name")
  mkdir -p "${corpora[0]}"
  own="$seeds/${seeds_of[$name]:-$name}"
  if [[ -d $own ]]; then
    corpora+=("$own")
  fi
  dictionary=()
  if [[ -f $seeds/$(basename "$own").dict ]]; then
    dictionary=("-dict=$seeds/$(basename "$own").dict")
  fi
  echo "fuzz: $name for $share s"
  options=""
  if [[ $name == hdf5 ]]; then
    options="symbolize=0"  # a report takes seconds with symbols
  fi
  ASAN_OPTIONS=$options "$build/${name}_fuzz" -max_total_time="$share" -timeout=120 -rss_limit_mb=2048 -print_final_stats=1 \
    "${dictionary[@]}" -artifact_prefix="$build/$name-" "${corpora[@]}" 2>"$build/$name.log" || {
    echo "fuzz: $name found a failing input:" >&2
    tail -n 60 "$build/$name.log" >&2
    status=1
  }
  # HDF5 files are read in a child process. A fault there is the library's if one of the innermost
  # frames is; the others of these are AddressSanitizer's own.
  if ! awk '/ runtime error: /{print; exit 1}
            /ERROR: AddressSanitizer/{report = 1; library = 0}
            report && /^ +[#][0-3] /{if (/[.]so/) library = 1}
            report && /^ +[#]3 /{report = 0; if (!library) {print; exit 1}}' \
    "$build/$name.log" >&2; then
    status=1
  fi
  grep -E '^stat::(number_of_executed_units|new_units_added|peak_rss)' "$build/$name.log" | tail -n 3 || true
  grep -E ' cov: ' "$build/$name.log" | tail -n 1 | sed -E 's/.*(cov: [0-9]+ ft: [0-9]+ corp: [^ ]+).*/\1/' || true
done
exit $status
