"""Aggregates by DuckDB."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Sequence
from typing import Any, Optional

from .._errors import GateError
from .._files import PathLike
from ._aggregate import Aggregates, aggregate


def duckdb(
    candidate: Any,
    baseline: Optional[Any] = None,
    *,
    connection: Optional[Any] = None,
    policy: Optional[PathLike] = None,
    task: Optional[str] = None,
    out: PathLike = "aggregates.csv",
) -> Aggregates:
    """Counts cases in DuckDB, as `policy` needs them, and writes the aggregates to `out`.

    candidate, baseline: the name of a table or view, a relation, a DataFrame or an Arrow table; or the path of a Parquet,
    CSV or TSV file (`os.PathLike`, or text with that ending). Without a baseline, the candidate is counted alone.
    connection: where the tables are; default a new database in memory.
    policy: default `gate.yaml` here or above. It names the columns, the metrics and the slices.
    task: `classification` or `regression`, if no metric of the policy says which.
    out: a .csv, .csv.gz or .parquet file (needs pyarrow), written whole or not at all.

    Raises `GuardError` if the cases can't be compared: ids that repeat or are missing, labels that differ, scores that
    are not a number. Nothing is written then.
    """
    if connection is not None:
        return aggregate(_DuckDB(connection), candidate, baseline, policy, task, out)
    try:
        module = importlib.import_module("duckdb")
    except ImportError:
        raise GateError("this needs DuckDB: run `pip install duckdb`") from None
    own = module.connect()
    try:
        return aggregate(_DuckDB(own), candidate, baseline, policy, task, out)
    finally:
        own.close()


class _DuckDB:
    dialect = "duckdb"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def version(self) -> str:
        return f"DuckDB {self._connection.execute('SELECT version()').fetchone()[0].lstrip('v')}"

    def columns(self, table: Any) -> list[tuple[str, str]]:
        if isinstance(table, (str, os.PathLike)) or hasattr(table, "create_view"):
            relation = self._relation(table)
            return list(zip(_before_renaming(relation.columns), (str(kind) for kind in relation.types)))
        # DuckDB renames columns whose names differ only in case, so read the names from the table itself.
        schema: Any = getattr(table, "schema", None)
        if hasattr(schema, "names") and hasattr(schema, "types"):  # Arrow
            names, types = schema.names, schema.types
        else:  # pandas, Polars
            names, types = table.columns, table.dtypes
        return [(str(name), str(kind)) for name, kind in zip(names, types)]

    def register(self, name: str, table: Any) -> None:
        if isinstance(table, (str, os.PathLike)):
            table = self._relation(table)
        self._connection.register(name, table)

    def drop(self, name: str) -> None:
        self._connection.unregister(name)

    def rows(self, sql: str) -> tuple[list[str], list[Sequence[Any]]]:
        answer = self._connection.execute(sql)
        return [one[0] for one in answer.description], answer.fetchall()

    def _relation(self, table: Any) -> Any:
        if not isinstance(table, (str, os.PathLike)):
            return table
        ending = _ending(table)
        if ending == "parquet":
            return self._connection.read_parquet(os.fspath(table))
        if ending is not None:
            # Type guessing would turn the label `1.0` into a number, which changes its text.
            return self._connection.read_csv(os.fspath(table), header=True, all_varchar=True)
        if isinstance(table, os.PathLike):
            raise GateError(f"{os.fspath(table)} is not a Parquet, CSV or TSV file")
        return self._connection.table(table)


def _ending(path: Any) -> Optional[str]:
    name = os.fspath(path).lower()
    for ending in ("parquet", "csv", "tsv"):
        if name.endswith((f".{ending}", f".{ending}.gz", f".{ending}.zst")):
            return ending
    return None


def _before_renaming(shown: Sequence[str]) -> list[str]:
    """DuckDB shows the columns `Y` and `y` of a file as `Y` and `y_1`, and answers `y` with `Y`."""
    names = []
    for name in shown:
        stem = re.sub(r"_[0-9]+$", "", name)
        is_renamed = stem != name and any(other.lower() == stem.lower() and other != stem for other in shown)
        names.append(stem if is_renamed else name)
    return names
