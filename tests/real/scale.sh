#!/usr/bin/env bash
# Real DuckDB, Spark and PostgreSQL count cases in place, byte for byte as `gate cases aggregate` does; a guard catches
# each trap; a parser reads the statements of every dialect. GATE names the program, ROWS the rows of the large table,
# MASTERS the Spark masters to try, and arguments the parts to run (default all; see scale.py). Installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${GATE:-}" ]; then cargo build --quiet; fi
gate=$(realpath "${GATE:-target/debug/gate}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

needs() { # COMMAND PACKAGE
  if command -v "$1" > /dev/null || compgen -G "/usr/lib/postgresql/*/bin/$1" > /dev/null; then return; fi
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "scale.sh: $1 is not installed" >&2
    exit 1
  fi
  apt-get update -qq && apt-get install -qq -y --no-install-recommends "$2" > /dev/null
}
needs java default-jre-headless
needs initdb postgresql
needs jq jq
[ -x target/real/scale/bin/python ] || python3 -m venv target/real/scale
target/real/scale/bin/pip install --quiet --disable-pip-version-check \
  pyspark==4.3.0 duckdb==2.0.1 sqlglot==30.30.0 pyarrow==26.0.1

PYTHONPATH=$PWD/python:$PWD/tests/real SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_DIRS=$work \
  target/real/scale/bin/python tests/real/scale.py \
  "$gate" "$work" "${ROWS:-1000000}" "${MASTERS:-local-cluster[2,1,1024] local[2]}" "$@"
