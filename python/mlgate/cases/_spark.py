"""Aggregates by Spark, or by Databricks."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Optional

from .._errors import GateError
from .._files import PathLike
from ._aggregate import Aggregates, aggregate


def spark(
    candidate: Any,
    baseline: Optional[Any] = None,
    *,
    session: Optional[Any] = None,
    policy: Optional[PathLike] = None,
    task: Optional[str] = None,
    out: PathLike = "aggregates.csv",
) -> Aggregates:
    """Counts cases in Spark, as `policy` needs them, and writes the aggregates to `out`.

    candidate, baseline: a DataFrame, or the name of a table. Without a baseline, the candidate is counted alone.
    session: default that of the DataFrame, or the active one. Spark Connect works too.
    policy: default `gate.yaml` here or above. It names the columns, the metrics and the slices.
    task: `classification` or `regression`, if no metric of the policy says which.
    out: a .csv, .csv.gz or .parquet file (needs pyarrow) on the driver, written whole or not at all.

    Each statement reads the tables once. Cache DataFrames that are expensive to compute. Only aggregates are collected.

    Raises `GuardError` if the cases can't be compared: ids that repeat or are missing, labels that differ, scores that
    are not a number. Nothing is written then.
    """
    return aggregate(_Spark(session or _session_of(candidate)), candidate, baseline, policy, task, out)


def _session_of(table: Any) -> Any:
    session = getattr(table, "sparkSession", None)
    if session is not None:
        return session
    try:
        active = importlib.import_module("pyspark.sql").SparkSession.getActiveSession()
    except ImportError:
        raise GateError("this needs Spark: run `pip install pyspark`, or pass a session") from None
    if active is None:
        raise GateError("there is no active Spark session; pass one as `session=`")
    return active


class _Spark:
    dialect = "spark"

    def __init__(self, session: Any) -> None:
        self._session = session

    def version(self) -> str:
        return f"Spark {self._session.version}"

    def columns(self, table: Any) -> list[tuple[str, str]]:
        return [(str(name), str(kind)) for name, kind in self._frame(table).dtypes]

    def register(self, name: str, table: Any) -> None:
        self._frame(table).createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        self._session.catalog.dropTempView(name)

    def rows(self, sql: str) -> tuple[list[str], list[Sequence[Any]]]:
        answer = self._session.sql(sql)
        return list(answer.columns), [tuple(row) for row in answer.collect()]

    def _frame(self, table: Any) -> Any:
        return self._session.table(table) if isinstance(table, str) else table
