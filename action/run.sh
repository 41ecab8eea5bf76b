#!/usr/bin/env bash
# Runs gate, which does everything else. Outputs are written before it starts too, so that a step that is killed leaves
# "no verdict" behind and not nothing.
set -uo pipefail

outputs() {
  printf 'verdict=none\nexit-code=2\nfailed=\nreport=\nreport-md=\ncomment-url=\ncheck-url=\nreporting=off\n' \
    >> "${GITHUB_OUTPUT:?}"
}

outputs || exit 2
if [ -z "${GATE:-}" ]; then
  printf '::error title=gate::gate is not installed, so nothing was checked\n'
  exit 2
fi
cd "${GITHUB_WORKSPACE:-.}/${GATE_WORKING_DIRECTORY:-.}" || {
  printf '::error title=gate::the input working-directory names no folder of the repository\n'
  exit 2
}
"$GATE" action
code=$?
case "$code" in
  0 | 1 | 2) exit "$code" ;;
  *)
    # Killed, or not a program: whatever it wrote before does not count.
    outputs
    printf '::error title=gate::gate ended with %s, so there is no verdict\n' "$code"
    exit 2
    ;;
esac
