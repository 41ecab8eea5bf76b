#!/usr/bin/env bash
# Cases counted where they are: by real DuckDB and real Spark, byte for byte as `gate cases aggregate` counts them; a guard for
# each trap; the statements of every dialect through a parser. GATE names the program, ROWS the rows of the large table,
# MASTERS the Spark masters to try, and arguments the parts to run (default all; see scale.py). Installs what it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${GATE:-}" ]; then cargo build --quiet; fi
gate=$(realpath "${GATE:-target/debug/gate}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if ! command -v java > /dev/null; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "scale.sh: java is not installed; Spark needs 17 or newer" >&2
    exit 1
  fi
  apt-get update -qq && apt-get install -qq -y --no-install-recommends default-jre-headless > /dev/null
fi
[ -x target/real/scale/bin/python ] || python3 -m venv target/real/scale
target/real/scale/bin/pip install --quiet --disable-pip-version-check \
  pyspark==4.3.0 duckdb==2.0.1 sqlglot==30.30.0 pyarrow==26.0.1

PYTHONPATH=$PWD/python:$PWD/tests/real SPARK_LOCAL_IP=127.0.0.1 SPARK_LOCAL_DIRS=$work \
  target/real/scale/bin/python tests/real/scale.py \
  "$gate" "$work" "${ROWS:-1000000}" "${MASTERS:-local-cluster[2,1,1024] local[2]}" "$@"
