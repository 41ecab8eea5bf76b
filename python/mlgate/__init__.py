"""Record training runs, and ask `gate` whether a model may be promoted.

    import mlgate

    with mlgate.record("runs/churn.json", model="churn") as run:
        run.params(max_depth=8)
        run.data("data/train.csv", role="train")
        run.validation(split="holdout", ids=test_ids)
        model.fit(x, y)
        run.metrics(f1=f1, recall=recall)
        run.artifact("models/churn.pkl")

The record has the same fields as one that `gate record` writes: the program reads both the same way. This package is
pure Python and needs nothing but the standard library.
"""

from . import cases
from ._autolog import autolog
from ._check import CheckFailed, Finding, NoVerdict, Verdict, check
from ._errors import GateError, NotRecorded
from ._program import ProgramNotFound, program
from ._run import Run, active_run, record
from ._version import __version__
from .cases import Aggregates, GuardError

__all__ = [
    "Aggregates",
    "CheckFailed",
    "Finding",
    "GateError",
    "GuardError",
    "NoVerdict",
    "NotRecorded",
    "ProgramNotFound",
    "Run",
    "Verdict",
    "__version__",
    "active_run",
    "autolog",
    "cases",
    "check",
    "program",
    "record",
]
