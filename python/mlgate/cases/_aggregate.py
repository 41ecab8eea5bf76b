"""Runs the statements on an engine, guards first, and writes what comes back."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Optional, Protocol

from .._errors import GateError
from .._files import PathLike, measured
from . import _guards, _statements, _table


@dataclass(frozen=True)
class Aggregates:
    """A file of aggregates, and where it came from. Pass it to `Run.predictions(aggregates=...)`."""

    path: str
    digest: str
    """Of the file: `sha256:…`."""
    statement_digest: str
    """Of the statements, the tables' columns and their rows: the same tables give the same digest."""
    engine: str
    """Such as `DuckDB 1.4.2`."""
    rows: dict[str, int]
    """Rows of the tables: `candidate`, and `baseline` if there is one."""
    lines: int = field(repr=False)
    """Rows of the file."""


class Engine(Protocol):
    """What the core asks of an engine."""

    dialect: str

    def version(self) -> str:
        """The engine's name and version."""

    def columns(self, table: Any) -> list[tuple[str, str]]:
        """Names and types of a table's columns, before it is registered."""

    def register(self, name: str, table: Any) -> None:
        """Makes a temporary view."""

    def drop(self, name: str) -> None:
        """Drops it again."""

    def rows(self, sql: str) -> tuple[list[str], list[Sequence[Any]]]:
        """The columns and the rows of a statement."""


def aggregate(
    engine: Engine,
    candidate: Any,
    baseline: Optional[Any],
    policy: Optional[PathLike],
    task: Optional[str],
    out: PathLike,
) -> Aggregates:
    """Counts the cases of both tables into `out`."""
    path = pathlib.Path(os.path.abspath(out))
    write = _table.writer(path)
    tables = {"candidate": candidate} if baseline is None else {"candidate": candidate, "baseline": baseline}
    columns = {side: engine.columns(table) for side, table in tables.items()}
    _guards.refuse_columns_alike({side: [name for name, _ in found] for side, found in columns.items()})
    # Other code may use the session at the same time.
    views = {side: f"gate_{side}_{secrets.token_hex(8)}" for side in tables}
    statements = _statements.statements(engine.dialect, views["candidate"], views.get("baseline"), policy, task)
    try:
        for side, table in tables.items():
            engine.register(views[side], table)
        rows = _table.plain(statements.columns, *engine.rows(statements.sql["guards"]))
        counts = _counts(rows, "guard")
        broken = {name: count for name, count in counts.items() if count != 0}
        if broken or not counts:
            raise _guards.GuardError(broken or {"guards": None})
        for name, sql in statements.sql.items():
            if name != "guards":
                rows += _table.plain(statements.columns, *engine.rows(sql))
    finally:
        for view in views.values():
            engine.drop(view)
    facts = _counts(rows, "fact")
    sizes = {side: facts.get(f"rows_{side}") for side in tables}
    if None in sizes.values():
        raise GateError(f"the engine returned no row count: {sizes}")
    known = {side: size for side, size in sizes.items() if size is not None}
    write(statements.columns, _table.ordered(rows))
    return Aggregates(
        path=os.fspath(out),
        digest=str(measured(path.parent, path, "file of aggregates")["digest"]),
        statement_digest=_source_digest(statements, views, columns, known),
        engine=engine.version(),
        rows=known,
        lines=len(rows),
    )


def _counts(rows: list[list[str]], kind: str) -> dict[str, Optional[int]]:
    return {row[1]: int(row[7]) if row[7] else None for row in rows if row[0] == kind}


def _source_digest(
    statements: _statements.Statements,
    views: dict[str, str],
    columns: dict[str, list[tuple[str, str]]],
    rows: dict[str, int],
) -> str:
    sql = {}
    for name, text in statements.sql.items():
        for side, view in views.items():
            text = text.replace(view, side)
        sql[name] = text
    source = {"columns": columns, "rows": rows, "statements": sql}
    text = json.dumps(source, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
