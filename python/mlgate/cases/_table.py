"""The table of aggregates: rows of text, in one order, as CSV or Parquet."""

from __future__ import annotations

import csv
import decimal
import gzip
import importlib
import io
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Union

from .._errors import GateError
from .._files import write_whole

TEXTS = 7
"""How many columns of text there are, before the counts and sums."""
Write = Callable[[list[str], list[list[str]]], None]


def plain(expected: list[str], columns: list[str], rows: list[Sequence[Any]]) -> list[list[str]]:
    """Rows of an engine as texts in the order of the file; NULL is an empty text."""
    names = [name.lower() for name in columns]
    if sorted(names) != sorted(expected):
        raise GateError(f"the engine answered with the columns {', '.join(columns)}, not {', '.join(expected)}")
    order = [names.index(name) for name in expected]
    return [[_text(expected[to], row[of], to < TEXTS) for to, of in enumerate(order)] for row in rows]


def _text(column: str, value: Any, is_text: bool) -> str:
    if value is None:
        return ""
    if is_text:
        if isinstance(value, str):
            return value
    elif isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    elif isinstance(value, decimal.Decimal) and value == value.to_integral_value():
        return str(int(value))
    kind = "text" if is_text else "a whole number"
    raise GateError(f"the engine answered with {value!r} in the column {column}, which is not {kind}")


def ordered(rows: list[list[str]]) -> list[list[str]]:
    """The rows in the order of the file, so that the same aggregates are the same bytes."""
    return sorted(rows, key=lambda row: row[:TEXTS])


def writer(path: pathlib.Path) -> Write:
    """What writes a file with that ending. Asked for before an engine works for an hour."""
    name = path.name.lower()
    if name.endswith(".csv"):
        return lambda columns, rows: write_whole(path, _as_csv(columns, rows))
    if name.endswith(".csv.gz"):
        return lambda columns, rows: write_whole(path, gzip.compress(_as_csv(columns, rows).encode(), mtime=0))
    if name.endswith(".parquet"):
        try:
            parquet = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise GateError("writing Parquet needs pyarrow: run `pip install pyarrow`, or write to a .csv file") from None
        arrow = importlib.import_module("pyarrow")
        return lambda columns, rows: write_whole(path, _as_parquet(arrow, parquet, columns, rows))
    raise GateError(f"aggregates are written to a .csv, .csv.gz or .parquet file, not to {path.name}")


def _as_csv(columns: list[str], rows: list[list[str]]) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(columns)
    lines.writerows(rows)
    return text.getvalue()


def _as_parquet(arrow: Any, parquet: Any, columns: list[str], rows: list[list[str]]) -> bytes:
    arrays = {}
    for place, column in enumerate(columns):
        values: list[Union[str, decimal.Decimal, None]] = [row[place] or None for row in rows]
        if place >= TEXTS:
            values = [None if value is None else decimal.Decimal(value) for value in values]
        arrays[column] = arrow.array(values, arrow.string() if place < TEXTS else arrow.decimal128(38, 0))
    buffer = io.BytesIO()
    parquet.write_table(arrow.table(arrays), buffer, compression="zstd")
    return buffer.getvalue()
