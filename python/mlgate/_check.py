"""A verdict, from Python."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass, field
from typing import Any, Optional

from ._errors import GateError
from ._files import PathLike
from ._program import program, run_program


class CheckFailed(GateError):
    """The verdict is fail."""


class NoVerdict(GateError):
    """No verdict could be reached: a record or a policy can't be read, or a baseline can't be found."""


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found."""

    candidate: Optional[str]
    rule: str
    level: str
    code: str
    message: str
    help: Optional[str] = None


@dataclass(frozen=True)
class Verdict:
    """What a check came to."""

    verdict: Optional[str]
    """`pass`, `fail`, or `None` where no verdict could be reached."""
    exit_code: int
    """0, 1 or 2, as the program exits."""
    report: dict[str, Any] = field(repr=False)
    """The whole report, as `gate check --format json` prints it."""
    text: str = field(repr=False)
    """The report as a person reads it."""

    @property
    def passed(self) -> bool:
        """Whether the verdict is pass."""
        return self.verdict == "pass"

    @property
    def findings(self) -> list[Finding]:
        """Everything that the rules found, warnings included."""
        found = []
        for group in [*self.report.get("candidates", []), self.report.get("change") or {}]:
            for rule in group.get("rules", []):
                for one in rule.get("findings", []):
                    found.append(
                        Finding(
                            candidate=(group.get("run") or {}).get("source"),
                            rule=rule.get("id", ""),
                            level=rule.get("level", ""),
                            code=one.get("code", ""),
                            message=one.get("message", ""),
                            help=one.get("help"),
                        )
                    )
        return found

    def require(self) -> "Verdict":
        """Raises `CheckFailed` or `NoVerdict` unless the verdict is pass; for a task that must stop."""
        if self.verdict == "fail":
            raise CheckFailed(self.text)
        if not self.passed:
            raise NoVerdict(self.text)
        return self

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.text


def check(
    *runs: PathLike,
    policy: Optional[PathLike] = None,
    baseline: Optional[str] = None,
    stage: Optional[str] = None,
    base: Optional[str] = None,
    first: bool = False,
    all_runs: bool = False,
    require_candidates: bool = False,
    folder: Optional[PathLike] = None,
    timeout: Optional[float] = None,
) -> Verdict:
    """Judges runs against a policy, as `gate check` does.

    runs: files, globs or references such as `mlflow:models:/churn/2`; without any, the records that changed.
    folder: where to start; default the current folder.
    timeout: seconds after which `subprocess.TimeoutExpired` is raised.

    The verdict is true if it is pass. Use `mlgate.check(...).require()` to stop a pipeline.
    """
    options = {"--policy": policy, "--baseline": baseline, "--stage": stage, "--base": base}
    flags = {"--first": first, "--all": all_runs, "--require-candidates": require_candidates}
    command = [program(), "check", "--format", "json"]
    command += [f"{name}={os.fspath(value)}" for name, value in options.items() if value is not None]
    command += [name for name, given in flags.items() if given]
    command += ["--", *(os.fspath(run) for run in runs)]
    ran = run_program(command, folder, timeout)
    if ran.returncode not in (0, 1, 2) or not ran.stdout.strip():
        raise NoVerdict(ran.stderr.strip() or f"gate exited with {ran.returncode} and printed nothing")
    try:
        report = json.loads(ran.stdout)
    except ValueError as error:
        raise NoVerdict(f"gate printed no report: {error}") from None
    verdict = report.get("verdict")
    if (verdict, ran.returncode) not in (("pass", 0), ("fail", 1), (None, 2)):
        raise NoVerdict(f"gate exited with {ran.returncode}, and its report says {verdict}")
    return Verdict(verdict=verdict, exit_code=ran.returncode, report=report, text=_as_text(ran.stdout, timeout))


def _as_text(report: str, timeout: Optional[float]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(report)
        return run_program([program(), "--color=never", "report", path], timeout=timeout).stdout.strip()
