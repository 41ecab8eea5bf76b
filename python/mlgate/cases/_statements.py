"""The statements that `gate cases sql` writes for a policy."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Optional

from .._errors import GateError
from .._files import PathLike
from .._program import program, run_program

VERSION = 1


@dataclass(frozen=True)
class Statements:
    """What an engine runs, in this order. Every statement gives the same columns."""

    columns: list[str]
    sql: dict[str, str]
    """By name: `guards`, `cells`, and `scores` where the policy needs them."""


def statements(
    engine: str,
    candidate: str,
    baseline: Optional[str],
    policy: Optional[PathLike],
    task: Optional[str],
) -> Statements:
    """Asks the program for the statements over these tables."""
    command = [program(), "cases", "sql", "--format=json", f"--engine={engine}", f"--candidate={candidate}"]
    options = {"--baseline": baseline, "--policy": policy, "--task": task}
    command += [f"{name}={os.fspath(value)}" for name, value in options.items() if value is not None]
    ran = run_program(command)
    if ran.returncode != 0:
        raise GateError(ran.stderr.strip() or f"`gate cases sql` exited with {ran.returncode} and printed nothing")
    if ran.stderr.strip():
        # Names the policy's metrics that aggregates can't provide.
        print(ran.stderr.strip(), file=sys.stderr)
    try:
        printed = json.loads(ran.stdout)
        version = printed["version"]
        found = Statements(printed["columns"], {one["name"]: one["sql"] for one in printed["statements"]})
    except (ValueError, KeyError, TypeError):
        raise GateError("`gate cases sql` did not print the statements as JSON") from None
    if version != VERSION:
        raise GateError(
            f"`gate cases sql` writes version {version} of the statements, and this package reads version {VERSION}; "
            "install the package and the program from the same wheel"
        )
    if "guards" not in found.sql or "cells" not in found.sql:
        raise GateError("`gate cases sql` printed no statement of guards or of cells")
    return found
