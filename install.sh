#!/bin/sh
# Installs gate: downloads the released program for this machine, and checks its SHA-256.
#
#   curl -fsSL https://raw.githubusercontent.com/gate-ci/gate/main/install.sh | sh
#
# GATE_VERSION    a version such as 0.1.0; default: the newest
# GATE_INSTALL    the folder; default: ~/.local/bin
# GATE_BASE_URL   a mirror of the releases
# GATE_SHA256     the digest that the archive must have, if you know it from elsewhere
set -eu

fail() {
  printf 'install.sh: %s\n' "$1" >&2
  exit 1
}

base="${GATE_BASE_URL:-https://github.com/gate-ci/gate/releases}"
folder="${GATE_INSTALL:-${HOME:?}/.local/bin}"

case "$(uname -s)" in
  Linux) os=unknown-linux-musl ;;
  Darwin) os=apple-darwin ;;
  *) fail "there is no released gate for $(uname -s); try: pip install mlgate" ;;
esac
case "$(uname -m)" in
  x86_64 | amd64) cpu=x86_64 ;;
  arm64 | aarch64) cpu=aarch64 ;;
  *) fail "there is no released gate for $(uname -m); try: cargo install mlgate" ;;
esac

if command -v curl > /dev/null; then
  get() { curl --fail --silent --show-error --location --retry 3 --output "$2" "$1"; }
elif command -v wget > /dev/null; then
  get() { wget --quiet --tries 3 --output-document "$2" "$1"; }
else
  fail "neither curl nor wget was found"
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

version="${GATE_VERSION:-}"
if [ -z "$version" ]; then
  get "$base/latest/download/VERSION" "$work/VERSION" || fail "the newest version could not be looked up at $base; set GATE_VERSION"
  version="$(tr -d ' \r\n' < "$work/VERSION")"
fi
case "$version" in
  '' | *[!0-9A-Za-z.+-]*) fail "not a version: $version" ;;
esac

archive="gate-$version-$cpu-$os.tar.gz"
get "$base/download/v$version/$archive" "$work/$archive" || fail "gate $version could not be downloaded from $base"
expected="${GATE_SHA256:-}"
if [ -z "$expected" ]; then
  get "$base/download/v$version/$archive.sha256" "$work/sum" || fail "the checksum of gate $version could not be downloaded"
  expected="$(cut -d ' ' -f 1 < "$work/sum")"
fi
if command -v sha256sum > /dev/null; then
  actual="$(sha256sum "$work/$archive" | cut -d ' ' -f 1)"
else
  actual="$(shasum -a 256 "$work/$archive" | cut -d ' ' -f 1)"
fi
[ "$actual" = "$expected" ] || fail "the download has the digest $actual, and $expected was expected; nothing was installed"

tar -xzf "$work/$archive" -C "$work" gate
mkdir -p "$folder"
chmod 755 "$work/gate"
mv "$work/gate" "$folder/gate.new" && mv "$folder/gate.new" "$folder/gate"
printf 'installed gate %s to %s\n' "$version" "$folder/gate"
case ":$PATH:" in
  *":$folder:"*) ;;
  *) printf 'add it to PATH: export PATH="%s:$PATH"\n' "$folder" ;;
esac
