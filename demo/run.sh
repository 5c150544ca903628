#!/usr/bin/env bash
# The main job on something real: two laws of growth fitted to the weights of chicks and compared.
# Then what the fits rest on: score and response of a density with many bumps, beside a solution of
# the Fokker-Planck equation, and Lorenz-96 in 40 dimensions. Tables and pictures.
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

chicks=(--data "$here/../data/chick_weight.csv" --time Time --group Chick --map w=weight)
for law in logistic gompertz; do
  show show ${law}_growth
  # The second call finds the first one finished, and only says it again.
  saved=(--checkpoint "$output/$law.checkpoint" --out "$output/$law.sde")
  rm -f "$output/$law.checkpoint"
  show fit ${law}_growth "${chicks[@]}" "${saved[@]}"
  "$divker" fit ${law}_growth "${chicks[@]}" "${saved[@]}" --json --quiet >"$output/$law.json"
  "$divker" simulate "$output/$law.sde" --paths 20000 --times 0,2,4,6,8,10,12,14,16,18,20,21 \
    --quiet --out "$output/$law.csv"
done
/usr/bin/python3 "$here/draw_growth.py" "$here/../data/chick_weight.csv" "$output"

show show bumpy
show score bumpy --paths 200000 --order 2 --fokker-planck
show response bumpy --paths 200000 --order 2 --wrt a,s --fokker-planck
show response lorenz96 --paths 50000 --richardson --observable 'sum(i, 0:39, x[i]^2)/40'

echo
echo 'The numbers for the pictures ...'
common=(bumpy --paths 200000 --order 2 --grid 25 --fokker-planck --json --quiet)
"$divker" score "${common[@]}" >"$output/score.json"
"$divker" response "${common[@]}" --wrt a >"$output/response.json"
for forcing in 6 7 8 9 10; do
  "$divker" response lorenz96 --set F=$forcing --paths 20000 --alpha jacobian:4,0.5 --richardson --json --quiet \
    --observable 'sum(i, 0:39, x[i]^2)/40' --wrt F
done >"$output/lorenz96.jsonl"
/usr/bin/python3 "$here/draw.py" "$output"
