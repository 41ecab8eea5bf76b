#!/usr/bin/env bash
# Compares `gate` with scikit-learn, scipy and statsmodels: metrics and limits, computed afresh on seeded cases. The crate's
# own tests use recorded values. GATE names the program. Installs what it needs into a virtual environment below target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
gate=$(realpath "${GATE:?name the program}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[ -x target/real/evidence/bin/python ] || python3 -m venv target/real/evidence
target/real/evidence/bin/pip install --quiet --disable-pip-version-check \
  numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1 statsmodels==0.15.0 pandas==3.1.1 pyarrow==26.0.1
# One thread: the tables are small, and other jobs use this machine.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
for part in metrics limits; do
  echo "-- $part"
  mkdir "$work/$part"
  target/real/evidence/bin/python "tests/real/evidence_$part.py" "$gate" "$work/$part"
done
