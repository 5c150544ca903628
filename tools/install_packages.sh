#!/usr/bin/env bash
# Installs the packages named in packages.txt, or in the list that is given, that this machine lacks;
# does nothing when none is missing, so that it can run before every build.
# Usage: install_packages.sh [LIST]
set -euo pipefail

list=${1:-"$(dirname "$(readlink -f "$0")")/../packages.txt"}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "deps: this is no Debian system; packages.txt names what divker needs, please install it." >&2
  exit 0
fi

missing=()
while read -r package; do
  status=$(dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null || true)
  grep -qx installed <<<"$status" || missing+=("$package")
done < <(sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$list")

if [[ ${#missing[@]} -eq 0 ]]; then
  exit 0
fi

become_root=()
if [[ $EUID -ne 0 ]]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: these packages are missing, and installing them needs root or sudo. As root, run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  become_root=(sudo)
fi

apt() {
  "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

echo "deps: installing ${missing[*]}"
apt update || echo "deps: apt-get update failed; trying with the package lists at hand." >&2
apt install --yes --no-install-recommends "${missing[@]}"
