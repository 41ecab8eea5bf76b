#!/usr/bin/env bash
# Measures the evidence figures of this folder's README.md on this machine. Takes a release build of gate as its argument,
# or builds one; ROWS and ROUNDS make it shorter. Needs Python 3 with pip.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$PWD/target/bench/evidence
gate=${1:-}
if [ -z "$gate" ]; then cargo build --release --quiet; gate=target/release/gate; fi
gate=$(realpath "$gate")
mkdir -p "$work"
[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  duckdb==2.0.1 numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 pandas==3.1.1 pyarrow==26.0.1
rows=${ROWS:-20000000}
"$work/venv/bin/python" benches/evidence_cases.py "$work/$rows" "$rows"
"$work/venv/bin/python" benches/evidence.py "$gate" "$work/venv/bin/python" "$work/$rows" "${ROUNDS:-3}"
