#!/usr/bin/env bash
# The main job on something real: score and response of a density with many bumps, beside a
# solution of the Fokker-Planck equation, and Lorenz-96 in 40 dimensions; as tables and pictures.
# Usage: run.sh DIVKER OUTPUT_DIRECTORY
set -euo pipefail

divker=${1:?usage: run.sh DIVKER OUTPUT_DIRECTORY}
output=${2:?usage: run.sh DIVKER OUTPUT_DIRECTORY}
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$output"

show() {
  printf '\n$ divker %s\n' "$*"
  "$divker" "$@"
}

show show bumpy
show score bumpy --paths 200000 --order 2 --fokker-planck
show response bumpy --paths 200000 --order 2 --wrt a,s --fokker-planck
show response lorenz96 --paths 50000 --observable 'sum(i, 0:39, x[i]^2)/40'

echo
echo 'The numbers for the pictures ...'
common=(bumpy --paths 200000 --order 2 --grid 25 --fokker-planck --json --quiet)
"$divker" score "${common[@]}" >"$output/score.json"
"$divker" response "${common[@]}" --wrt a >"$output/response.json"
for forcing in 6 7 8 9 10; do
  "$divker" response lorenz96 --set F=$forcing --paths 20000 --alpha jacobian:4,0.5 --json --quiet \
    --observable 'sum(i, 0:39, x[i]^2)/40' --wrt F
done >"$output/lorenz96.jsonl"
/usr/bin/python3 "$here/draw.py" "$output"
