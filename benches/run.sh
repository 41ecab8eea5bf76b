#!/usr/bin/env bash
# Measures every figure of this folder's README.md on this machine. Needs Rust, git and Python 3 with pip.
set -euo pipefail
cd "$(dirname "$0")/.."
here="$PWD/benches"
work="$PWD/target/bench"

cargo build --release --quiet
mkdir -p "$work"
if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet 'jsonschema==4.26.0'
fi
for set in one git many most; do
  rm -rf "${work:?}/$set"
  case "$set" in many) number=10000 ;; most) number=100000 ;; *) number=1 ;; esac
  python3 "$here/make_records.py" "$work/$set" "$number"
done
sed -i.bak 's/^baseline: .*/baseline: git:main:baseline.json/' "$work/git/gate.yaml"
git -C "$work/git" init --quiet --initial-branch=main
git -C "$work/git" add --all
git -C "$work/git" -c user.name=bench -c user.email=bench@example.org commit --quiet --message records

printf 'fn main() {}\n' > "$work/nothing.rs"
rustc -O -o "$work/nothing" "$work/nothing.rs"
mkdir -p "$work/shim"
real_git=$(command -v git)
# shellcheck disable=SC2016 # expands when the shim runs
printf '#!/bin/sh\necho "$@" >> "$CALLS"\nexec %s "$@"\n' "$real_git" > "$work/shim/git"
chmod +x "$work/shim/git"

python3 "$here/measure.py" "$PWD/target/release/gate" "$work/nothing" "$work/venv/bin/python" \
  "$work/one" "$work/git" "$work/many" "$work/most" "$work/shim"
echo "binary: $(wc -c < target/release/gate) bytes"
