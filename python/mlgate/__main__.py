"""`python -m mlgate …` is `gate …`."""

from __future__ import annotations

import os
import subprocess
import sys

from ._errors import GateError
from ._program import program


def main() -> int:
    """Runs the program with this command line."""
    try:
        command = [program(), *sys.argv[1:]]
    except GateError as error:
        print(f"mlgate: {error}", file=sys.stderr)
        return 2
    if os.name == "posix":
        os.execv(command[0], command)
    return subprocess.call(command)


if __name__ == "__main__":
    sys.exit(main())
