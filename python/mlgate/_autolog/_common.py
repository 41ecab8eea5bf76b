"""What the modules for the libraries share."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Mapping
from typing import Any, Optional

from .._errors import NotRecorded
from .._run import Run
from .._values import number, plain

# `busy` is true while this thread is in a `fit` or a `score`: only the outermost call is recorded.
inside = threading.local()


def log_params(run: Run, values: Mapping[str, Any]) -> None:
    """Parameters of a library. What a script said itself counts; a second model's other values are left out, and told."""
    for name, value in values.items():
        if value is None:
            continue
        try:
            run.params({name: plain(value, name, objects=True)})
        except NotRecorded as error:
            print(f"mlgate: not recorded by autolog: {error}", file=sys.stderr)


def log_metric(run: Run, name: str, value: Any, step: Optional[int] = None) -> None:
    """One metric of a library; what is no number, such as a confusion matrix, is left out."""
    try:
        run.observe(re.sub(r"\s+", "_", name.strip()), number(value, name, allow_nan=True), step)
    except NotRecorded:
        return
