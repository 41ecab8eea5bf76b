"""Where the program `gate` is."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from typing import Optional

from ._errors import GateError
from ._files import PathLike


class ProgramNotFound(GateError):
    """The program `gate` is not installed where this Python looks for it."""


def program() -> str:
    """The path of the program: `MLGATE_PROGRAM`, or the one that was installed with this package, or one on PATH."""
    named = os.environ.get("MLGATE_PROGRAM")
    if named:
        if not os.path.isfile(named):
            raise ProgramNotFound(f"MLGATE_PROGRAM names {named}, and there is no such file")
        return named
    name = "gate.exe" if os.name == "nt" else "gate"
    for folder in _script_folders():
        if (folder / name).is_file():
            return str(folder / name)
    found = shutil.which("gate")
    if found is None:
        raise ProgramNotFound("the program `gate` was not found; run `pip install mlgate`, or set MLGATE_PROGRAM to its path")
    return found


def run_program(
    command: list[str], folder: Optional[PathLike] = None, timeout: Optional[float] = None
) -> "subprocess.CompletedProcess[str]":
    """Runs a command, and keeps what it prints."""
    return subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _script_folders() -> Iterator[pathlib.Path]:
    yield pathlib.Path(sysconfig.get_path("scripts"))
    user = f"{os.name}_user"
    if user in sysconfig.get_scheme_names():
        yield pathlib.Path(sysconfig.get_path("scripts", scheme=user))
    package = pathlib.Path(__file__).resolve().parent
    # `pip install --target DIR` puts programs into DIR/bin.
    yield package.parent / "bin"
    # A virtual environment that another interpreter imports from.
    for above in package.parents:
        if above.name in ("site-packages", "dist-packages"):
            yield above.parent.parent.parent / ("Scripts" if sys.platform == "win32" else "bin")
            break
