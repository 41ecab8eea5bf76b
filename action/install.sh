#!/usr/bin/env bash
# Brings gate to the runner: a binary that is there already, or the released one, checked against versions.txt.
# Runs on bash 3.2 (macOS) and in Git Bash (Windows). Inputs come through the environment only.
set -euo pipefail

here="$(cd "$(dirname "$0")" && pwd)"

fail() {
  # What is shown may hold anything, so it is one line, and no command of the runner begins in it.
  printf '::error title=gate::%s\n' "$(printf '%s' "$1" | tr '\r\n' '  ' | sed 's/%/%25/g; s/##\[/# # [/g')"
  exit 2
}

found() {
  printf 'gate=%s\n' "$1" >> "${GITHUB_OUTPUT:?}"
}

target() {
  case "$(uname -s)" in
    Linux) os=unknown-linux-musl ;;
    Darwin) os=apple-darwin ;;
    MINGW* | MSYS* | CYGWIN*) os=pc-windows-msvc ;;
    *) fail "there is no released gate for $(uname -s); build one, and name it with gate-path" ;;
  esac
  case "$(uname -m)" in
    x86_64 | amd64) cpu=x86_64 ;;
    arm64 | aarch64) cpu=aarch64 ;;
    *) fail "there is no released gate for $(uname -m); build one, and name it with gate-path" ;;
  esac
  printf '%s-%s' "$cpu" "$os"
}

digest() {
  if command -v sha256sum > /dev/null; then
    sha256sum "$1" | cut -d ' ' -f 1
  else
    shasum -a 256 "$1" | cut -d ' ' -f 1
  fi
}

if [ -n "${GATE_PATH:-}" ]; then
  case "$GATE_PATH" in
    *$'\n'* | *$'\r'*) fail "the input gate-path must be one line" ;;
  esac
  [ -f "$GATE_PATH" ] && [ -x "$GATE_PATH" ] || fail "gate-path names no program: $GATE_PATH"
  found "$(cd "$(dirname "$GATE_PATH")" && pwd)/$(basename "$GATE_PATH")"
  exit 0
fi
[ "${GATE_VERSION:-}" != none ] || fail "version is none, and gate-path names no program"

# The table: version, target, sha256 of the archive; the newest version last.
table="$here/versions.txt"
version="${GATE_VERSION:-$(sed -n '/^[0-9]/s/ .*//p' "$table" | tail -n 1)}"
[ -n "$version" ] || fail "this commit of the action knows no released version; use a released commit, or gate-path"
case "$version" in
  *[!0-9A-Za-z.+-]*) fail "the input version is not a version: $version" ;;
esac
target="$(target)"
expected="$(awk -v version="$version" -v target="$target" '$1 == version && $2 == target { print $3 }' "$table")"
[ -n "$expected" ] || fail "this commit of the action has no checksum for gate $version on $target"

archive="gate-$version-$target.tar.gz"
base="${GATE_BASE_URL:-https://github.com/gate-ci/gate/releases/download}"
folder="${RUNNER_TEMP:?}/gate-$version-$target"
mkdir -p "$folder"
curl --fail --silent --show-error --location --proto '=https,http' --retry 3 --max-time 300 \
  --output "$folder/$archive" "$base/v$version/$archive" || fail "gate $version could not be downloaded from $base"
actual="$(digest "$folder/$archive")"
[ "$actual" = "$expected" ] || fail "the download of gate $version has the digest $actual, and $expected was expected"
tar -xzf "$folder/$archive" -C "$folder"
program="$folder/gate"
[ -f "$program" ] || program="$folder/gate.exe"
[ -f "$program" ] || fail "the archive of gate $version holds no program"
found "$program"
