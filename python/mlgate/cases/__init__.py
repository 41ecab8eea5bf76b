"""Aggregates of cases, counted where the rows are.

    import mlgate

    result = mlgate.cases.spark(candidate, baseline, out="runs/churn.aggregates.csv")
    with mlgate.record("runs/churn.json", model="churn") as run:
        run.predictions(aggregates=result)

A table of a billion predictions stays in its cluster. The program `gate` writes the SQL for the policy; an engine runs it,
guards first; and the rows that leave the engine are counts and whole-number sums.
"""

from ._aggregate import Aggregates
from ._duckdb import duckdb
from ._guards import GuardError
from ._spark import spark

__all__ = ["Aggregates", "GuardError", "duckdb", "spark"]
