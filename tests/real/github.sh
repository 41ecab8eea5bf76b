#!/usr/bin/env bash
# Prism, as a proxy, checks gate's requests and a stateful fake's answers against GitHub's own API description.
# Installs what it needs below target/; talks to this machine only.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD"
work="$root/target/real/github"
mkdir -p "$work"

if [ ! -d "$work/node_modules/@stoplight/prism-cli" ] || [ ! -d "$work/node_modules/@octokit/openapi" ]; then
  (cd "$work" && npm install --ignore-scripts --silent --no-audit --no-fund --prefix . \
    @stoplight/prism-cli@5.14.2 @octokit/openapi@23)
fi
description="$work/node_modules/@octokit/openapi/generated/api.github.com.json"
python3 tests/fixtures/make/github_api.py --answers "$description" > "$work/description.json"

cargo build --quiet
gate="$root/target/debug/gate"
free() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
fake_port=$(free)
prism_port=$(free)
python3 tests/real/github_fake.py "$fake_port" "$description" &
fake=$!
node "$work/node_modules/@stoplight/prism-cli/dist/index.js" proxy --errors -h 127.0.0.1 -p "$prism_port" \
  "$work/description.json" "http://127.0.0.1:$fake_port" > "$work/prism.log" 2>&1 &
prism=$!
trap 'kill "$fake" "$prism" 2> /dev/null || true' EXIT
for _ in $(seq 100); do
  curl --silent --output /dev/null "http://127.0.0.1:$prism_port/repos/a/b/issues/1/comments" && break
  sleep 0.3
done

project="$work/project"
rm -rf "$project"
mkdir -p "$project"
cd "$project"
cat > gate.yaml <<'YAML'
version: 1
rules: { r: { metrics: { "m*": { min: 1 } } } }
YAML
python3 -c 'import json; print(json.dumps({"metrics": {f"m{i}": 0.5 for i in range(130)}}, indent=1))' > bad.json
python3 -c 'import json; print(json.dumps({"metrics": {f"m{i}": 2 for i in range(130)}}))' > good.json
cat > event.json <<'JSON'
{"number": 12, "pull_request": {
  "head": {"sha": "1111111111111111111111111111111111111111", "ref": "f", "repo": {"full_name": "acme/churn"}},
  "base": {"sha": "2222222222222222222222222222222222222222", "ref": "main"}}}
JSON

report() {
  "$gate" check "$1" --format json --output report.json || true
  GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH=event.json GITHUB_REPOSITORY=acme/churn GITHUB_RUN_NUMBER="$2" GITHUB_RUN_ID=7 \
    GITHUB_API_URL="http://127.0.0.1:$prism_port" GITHUB_TOKEN=a-token-of-nobody \
    "$gate" report github --strict --from report.json > out 2>&1 || { cat out "$work/prism.log"; echo "FAILED: $1"; exit 1; }
  cat out
}
report bad.json 1
report good.json 2
comments=$(curl --silent "http://127.0.0.1:$fake_port/repos/acme/churn/issues/12/comments")
printf '%s' "$comments" | python3 -c '
import json, sys
comments = json.load(sys.stdin)
assert len(comments) == 1, f"{len(comments)} comments"
assert "gate: pass" in comments[0]["body"], comments[0]["body"][:200]
'

# A check run with more annotations than fit into one request, on the commit that was judged.
git init --quiet --initial-branch=main .
git add gate.yaml bad.json good.json
git -c user.name=gate -c user.email=gate@example.org commit --quiet --message=records
judged=$(git rev-parse HEAD)
echo "{\"ref\": \"refs/heads/main\", \"inputs\": null}" > dispatch.json
GITHUB_ACTIONS=true GITHUB_EVENT_NAME=workflow_dispatch GITHUB_EVENT_PATH="$project/dispatch.json" GITHUB_REPOSITORY=acme/churn GITHUB_RUN_ID=7 GITHUB_RUN_NUMBER=3 \
  GITHUB_SHA="$judged" GITHUB_API_URL="http://127.0.0.1:$prism_port" RUNNER_TEMP="$project" \
  GITHUB_OUTPUT="$project/outputs" GATE_TOKEN=a-token-of-nobody GATE_INPUT_RUN=bad.json GATE_INPUT_CHECK_RUN=gate \
  "$gate" action > out && { echo "FAILED: a bad record passed"; exit 1; }
grep -qx complete outputs || { cat out outputs "$work/prism.log"; echo "FAILED: the check run was not written"; exit 1; }
test "$(curl --silent "http://127.0.0.1:$fake_port/repos/acme/churn/commits/main/check-runs" | grep -o '"total_count": 1')"

# The description does not cover GraphQL, so Prism's complaints about it don't count: gate works without.
if grep -iE "violation|✖" "$work/prism.log" | grep -v "post /graphql"; then
  cat "$work/prism.log"
  echo "FAILED: Prism found something"
  exit 1
fi
echo "== one comment, made and edited; nothing that GitHub's description does not allow"
