#!/usr/bin/env bash
# Checks reports with the tools that read them: SARIF's schema and validator, Jenkins' schema for JUnit, what GitLab
# documents about Code Quality, in-toto's own classes for test results, html-validate, Chromium and axe for the pages, and
# the libraries of Hugging Face and CycloneDX for model documents. Installs what it needs below target/; Chromium comes from
# the system's packages, and root installs it. SHOTS=FOLDER saves pictures of the page there.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! command -v chromium > /dev/null && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium > /dev/null
fi
for program in python3 node npm chromium; do
  command -v "$program" > /dev/null || { echo "reports.sh: $program is not installed" >&2; exit 1; }
done
if [ -z "${GATE:-}" ]; then
  cargo build --quiet
  GATE=$PWD/target/debug/gate
fi
scripts=$PWD/tests/real tools=$PWD/target/real/reports
mkdir -p "$tools"
cp "$scripts/reports.package.json" "$tools/package.json"
npm install --prefix "$tools" --silent --no-audit --no-fund --no-package-lock
[ -x "$tools/venv/bin/python" ] || python3 -m venv "$tools/venv"
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check "lxml==6.1.3" "junitparser==5.0.3" "jsonschema==4.26.0" \
  "in-toto-attestation==0.9.3" "huggingface_hub==2.4.0" "cyclonedx-python-lib[json-validation]==11.12.0"
# pytest's source distribution contains Jenkins' schema for JUnit.
if [ ! -f "$tools/junit-10.xsd" ]; then
  "$tools/venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --no-binary :all: --dest "$tools" "pytest==8.4.2"
  tar --extract --gzip --file "$tools/pytest-8.4.2.tar.gz" --directory "$tools" --strip-components 3 \
    pytest-8.4.2/testing/example_scripts/junit-10.xsd
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$tools/venv/bin/python" "$scripts/reports.py" make "$work"

echo "-- a report with every outcome, in every format at once"
code=0
(cd "$work/mixed" && "$GATE" check --now 2026-06-01T00:00:00Z --output sarif=gate.sarif --output junit=gate.xml \
  --output gitlab=gate.gitlab.json --output test-result=gate.intoto.json --output html=gate.html --output json=gate.json > gate.txt) || code=$?
[ "$code" = 2 ] || { echo "reports.sh: the exit code is $code, and not 2" >&2; cat "$work/mixed/gate.txt"; exit 1; }

echo "-- a thousand runs and twenty rules"
(cd "$work/many" && "$GATE" check --all --output html=gate.html --output sarif=gate.sarif --output junit=gate.xml \
  --output gitlab=gate.gitlab.json --output test-result=gate.intoto.json > /dev/null) || true
bytes=$(wc -c < "$work/many/gate.html")
[ "$bytes" -lt 5000000 ] || { echo "reports.sh: the page has $bytes bytes" >&2; exit 1; }

echo "-- slices and intervals"
(cd "$work/slices" && "$GATE" check --all --output html=gate.html > /dev/null) || true

echo "-- the schema of SARIF, Microsoft's validator, the schema of JUnit and a reader of it, GitLab, in-toto"
schema=$(find "$tools/node_modules/@microsoft" -name sarif-2.1.0.json | head -1)
for folder in mixed many; do
  "$tools/venv/bin/python" "$scripts/reports.py" validate "$work/$folder" "$schema" "$tools/junit-10.xsd"
  DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 "$tools/node_modules/.bin/sarif-multitool" validate "$work/$folder/gate.sarif" > "$work/multitool"
  if grep -E ': (error|warning) ' "$work/multitool"; then exit 1; fi
done

echo "-- a model card, read by huggingface_hub, and a bill of materials, by cyclonedx"
(cd "$work/ledger" && for run in one two; do
  "$GATE" promote "runs/$run.json" --stage staging --first > /dev/null
done
"$GATE" explain stage:staging --format model-card --output card.md
"$GATE" explain stage:staging --format ml-bom --output bom.json
"$GATE" history churn --metric f1 --format html --output gate.html
mkdir ../time ../rules
"$GATE" check runs/three.json --stage staging --baseline stage:staging --output html=../time/gate.html > /dev/null || true
"$GATE" audit --margins --format html --output ../rules/gate.html)
"$tools/venv/bin/python" "$scripts/reports.py" documents "$work/ledger"

echo "-- the page: html-validate, Chromium, axe"
"$tools/node_modules/.bin/html-validate" --config "$scripts/reports.htmlvalidate.json" "$work/mixed/gate.html" "$work/slices/gate.html" "$work/ledger/gate.html" \
  "$work/time/gate.html" "$work/rules/gate.html"
NODE_PATH="$tools/node_modules" node "$scripts/reports.cjs" "$work" "$(command -v chromium)" "${SHOTS:-}"

echo "reports are read by others"
