#!/usr/bin/env bash
# The main paths of the command under Valgrind's memory checker: any read of what was not written,
# and any access out of bounds, is an error. Leaks are the business of AddressSanitizer.
# Usage: run.sh COMMAND
set -uo pipefail

command=$(readlink -f "${1:?usage: run.sh COMMAND}")
here=$(dirname "$(readlink -f "$0")")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# Valgrind 3.19 knows AVX2, but no AVX-512.
export DIVKER_LANES=4
export DIVKER_MODELS="$here/../../models"

status=0
check() {
  local begin=$SECONDS
  valgrind --quiet --error-exitcode=99 --leak-check=no "$command" "$@" >out.txt 2>err.txt
  code=$?
  echo "valgrind: divker $* ($((SECONDS - begin)) s)"
  # 4: so short a fit need not converge.
  if [[ $code -ne 0 && $code -ne 4 ]]; then
    echo "valgrind: failed" >&2
    tail -n 60 err.txt >&2
    status=1
  fi
}
small=(--paths 200 --set T=0.05 --threads 2)

check show lorenz63
check simulate gbm "${small[@]}" --out x.csv
check simulate ou "${small[@]}" --out x.h5
check score ou "${small[@]}" --alpha 1
check response fitzhugh_nagumo "${small[@]}" --observable "v^2"
check response tent --paths 200 --threads 2 --observable "x[0]"
check sample ou -n 50 --set T=0.05 --threads 2 --out data.npy
check fit ou --data data.npy@0.05 "${small[@]}" --iterations 1 --out fitted.sde
exit $status
