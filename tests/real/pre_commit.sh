#!/usr/bin/env bash
# The hooks of docs/install.md, as it shows them, run by the real pre-commit on real pushes: a better run is pushed, a worse
# one is not. GATE names the program for the hook that runs an installed one. WHEEL names a wheel for the hook that installs
# its own; without it that hook is not tried. Nothing is compiled: `language: rust` would build the crate on each machine.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD gate=$(realpath "${GATE:?name the program}")
wheel=${WHEEL:+$(realpath "$WHEEL")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
export GIT_CONFIG_GLOBAL=/dev/null PRE_COMMIT_HOME=$work/pre-commit NO_COLOR=1
fail() { echo "pre_commit.sh: $*" >&2; exit 1; }

[ -x target/real/pre-commit/bin/python ] || python3 -m venv target/real/pre-commit
target/real/pre-commit/bin/pip install --quiet --disable-pip-version-check pre-commit==4.7.0
export PATH=$here/target/real/pre-commit/bin:$PATH

# The page names a release on GitHub; git is made to find this working tree's hooks there instead.
mkdir "$work/hooks" && cp .pre-commit-hooks.yaml "$work/hooks/"
git -C "$work/hooks" init --quiet && git -C "$work/hooks" add --all && git -C "$work/hooks" commit --quiet --message hooks
git -C "$work/hooks" tag v0.1.0
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=url.file://$work/hooks.insteadOf GIT_CONFIG_VALUE_0=https://github.com/gate-ci/gate

# The fences of the page's section, in their order.
shown() {
  python3 - "$1" <<'PYTHON'
import re, sys
section = open("docs/install.md").read().split("## Before each push\n")[1].split("\n## ")[0]
fences = re.findall(r"```yaml\n(.*?)```", section, re.S)
assert len(fences) == 2, fences
print(fences[int(sys.argv[1])], end="")
PYTHON
}

record() { printf '{"model": "churn", "validation": {"digest": "sha256:aa"}, "metrics": {"f1": %s}}\n' "$1" > runs/churn.json; }
# Pushes a branch with a run that has this f1.
push() { # BRANCH F1
  git checkout --quiet -b "$1" main && record "$2" && git commit --quiet --all --message "$1"
  code=0
  git push origin "$1" > "$work/log" 2>&1 || code=$?
  pushed=0
  git ls-remote --exit-code --quiet --heads origin "$1" > "$work/refs" || pushed=$?
}

try() { # NAME FENCE
  echo "-- $1"
  shown "$2" > "$work/config.yaml"
  git init --quiet --bare "$work/$1.git"
  mkdir -p "$work/$1/runs" && cd "$work/$1"
  git init --quiet --initial-branch=main && git remote add origin "$work/$1.git"
  printf 'version: 1\nruns: runs/*.json\nbaseline: git:main\nrules:\n  no-worse: { metrics: { f1: { max_drop: 0.005 } } }\n' > gate.yaml
  cp "$work/config.yaml" .pre-commit-config.yaml
  record 0.84
  git add --all && git commit --quiet --message begin && git push --quiet origin main
  pre-commit install --hook-type pre-push > "$work/log"
  push better 0.85
  if [ "$code" != 0 ] || [ "$pushed" != 0 ] || ! grep -q 'gate check.*Passed' "$work/log"; then cat "$work/log"; fail "a better run was not pushed"; fi
  push worse 0.70
  if [ "$code" = 0 ] || [ "$pushed" = 0 ] || ! grep -q 'limit/drop' "$work/log"; then cat "$work/log"; fail "a worse run was not blocked for its drop"; fi
  cd "$here"
}

if [ -n "$wheel" ]; then
  # pip finds the wheel, and the build backend of pre-commit's own empty package, only in this folder.
  mkdir "$work/wheels" && cp "$wheel" "$work/wheels/"
  target/real/pre-commit/bin/pip download --quiet --disable-pip-version-check --no-deps --dest "$work/wheels" setuptools
  PIP_NO_INDEX=1 PIP_FIND_LINKS=$work/wheels try "its own gate" 0
fi

mkdir "$work/bin" && ln -s "$gate" "$work/bin/gate"
export PATH=$work/bin:$PATH
try "the gate that is installed" 1

echo "-- a mistake in the policy"
cd "$work/the gate that is installed"
git checkout --quiet main
printf '      - id: gate-policy\n' >> .pre-commit-config.yaml
pre-commit install > "$work/log"
git add --all
git commit --quiet --message "the second hook" > "$work/log" 2>&1 || { cat "$work/log"; fail "a commit without mistakes was blocked"; }
sed -i.bak 's/max_drop/max_dorp/' gate.yaml
if git commit --quiet --all --message mistake > "$work/log" 2>&1; then cat "$work/log"; fail "a mistake in the policy was committed"; fi
grep -q 'max_drop' "$work/log" || { cat "$work/log"; fail "the mistake was not named"; }
echo "-- the hooks block what they must, and nothing else"
