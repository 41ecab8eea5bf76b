#!/usr/bin/env bash
# The wheel and the Python package, as users get them: built, installed into clean environments, used with the real
# libraries. WHEEL names an existing wheel; WHEEL_PROFILE=dev builds a quick one, and WHEEL_DIR keeps it.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
profile=${WHEEL_PROFILE:-release}
kept=${WHEEL_DIR:+$(realpath --canonicalize-missing "$WHEEL_DIR")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '\n-- %s\n' "$*"; }
environment() { python3 -m venv "$work/$1"; "$work/$1/bin/python" -m pip install --quiet --disable-pip-version-check "${@:2}"; }

say "the wheel"
environment tools maturin uv
wheel=${WHEEL:-}
if [ -z "$wheel" ]; then
  out=${kept:-$work/dist}
  rm -rf "${out:?}"
  "$work/tools/bin/maturin" build --profile "$profile" --locked --out "$out"
  wheel=$(echo "$out"/*.whl)
fi
python3 - "$wheel" "$profile" <<'PYTHON'
import sys, os, zipfile
path, profile = sys.argv[1:]
names = zipfile.ZipFile(path).namelist()
def has(end): return any(name.endswith(end) for name in names)
assert has("mlgate/__init__.py") and has("mlgate/py.typed") and has("mlgate/_autolog/_sklearn.py"), names
assert any("scripts/gate" in name for name in names), names
assert has("LICENSE-MIT") and any("sboms/" in name for name in names), names
assert not any("tests/" in name for name in names), names
size = os.path.getsize(path)
print(os.path.basename(path), f"{size / 1e6:.1f} MB")
assert profile != "release" or size <= 12_000_000, size
PYTHON

say "a clean environment"
environment clean "$wheel"
"$work/clean/bin/gate" --version
"$work/clean/bin/python" -m mlgate --version
[ "$("$work/clean/bin/python" -m pip list --format freeze | grep -cv '^\(pip\|setuptools\|mlgate\)')" = 0 ] || { echo "the wheel brings other packages"; exit 1; }
"$work/clean/bin/python" - <<'PYTHON'
import mlgate, subprocess
said = subprocess.run([mlgate.program(), "--version"], capture_output=True, text=True, check=True).stdout
assert said.split()[1] == mlgate.__version__, (said, mlgate.__version__)
PYTHON

say "without installing, by uv"
export UV_CACHE_DIR=$work/uv
"$work/tools/bin/uvx" --quiet --from "$wheel" gate --version
"$work/tools/bin/uvx" --quiet --from "$wheel" mlgate --version

say "with the real libraries"
environment real "$wheel" pytest mypy jsonschema pandas scikit-learn xgboost lightgbm
cp -r python/tests "$work/tests"
(cd "$work/tests" && MLGATE_SCHEMAS=$here/docs/schemas "$work/real/bin/python" -m pytest --quiet -p no:cacheprovider .)

say "types"
"$work/real/bin/python" -m mypy --strict --cache-dir "$work/mypy" python/mlgate

say "the real pre-commit"
GATE=$work/clean/bin/gate WHEEL=$wheel tests/real/pre_commit.sh

say "all of the Python package holds"
