"""Guards: counts that must be 0 before anything is aggregated. The words are those of the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

from .._errors import GateError

ALIKE = "columns_alike"
_TOO_LARGE = "can't be counted: missing, NaN, infinite, or 1,500,000 or more in size"
# The message for one row and for several, and what to do. `{n}` is the count, `{side}` the model.
_WORDS = {
    "ids_missing": ("1 row without an id", "{n} rows without an id", "give each case an id"),
    "ids_repeated": (
        "1 row repeats an id that another row has",
        "{n} rows repeat an id that another row has",
        "keep one row for each case",
    ),
    "only": (
        "1 id is only in the {side}",
        "{n} ids are only in the {side}",
        "judge both models on the same cases; none may be left out, since the hardest cases tend to go missing",
    ),
    "labels_missing": ("1 row without a label", "{n} rows without a label", "write the label of each case"),
    "labels_differ": (
        "the label differs in 1 case",
        "the label differs in {n} cases",
        "judge both models with the same labels, and write them the same way: 1 and 1.0 are two labels",
    ),
    "predictions_missing": (
        "1 case of the {side} was not scored: no prediction",
        "{n} cases of the {side} were not scored: no prediction",
        "score them, or count them as wrong: `cases: { unscored: wrong }`",
    ),
    "clusters_missing": ("1 row without a cluster", "{n} rows without a cluster", "write the cluster of each case"),
    "clusters_differ": (
        "the cluster differs in 1 case",
        "the cluster differs in {n} cases",
        "judge both models on the same cases",
    ),
    "slices_differ": (
        "the slices differ in 1 case",
        "the slices differ in {n} cases",
        "take slices from the data, which both models share, not from the output of a run",
    ),
    "scores_unusable": (
        "1 row of the {side} without a score from 0 to 1",
        "{n} rows of the {side} without a score from 0 to 1",
        "write probabilities; NaN, infinities and missing scores can't be counted",
    ),
    "numbers_unusable_label": (
        f"1 row whose label {_TOO_LARGE}",
        f"{{n}} rows whose label {_TOO_LARGE}",
        "count in larger units, or record the files of predictions",
    ),
    "numbers_unusable": (
        f"1 row whose prediction of the {{side}} {_TOO_LARGE}",
        f"{{n}} rows whose prediction of the {{side}} {_TOO_LARGE}",
        "count in larger units, or record the files of predictions",
    ),
    ALIKE: (
        "1 name of a column differs by case only, and the engine can't tell them apart",
        "{n} names of columns differ by case only, and the engine can't tell them apart",
        "rename the columns",
    ),
}


class GuardError(GateError):
    """The cases can't be compared as they are. Nothing was written."""

    guards: dict[str, Optional[int]]
    """The guards that are not 0, with their counts. `None`: the engine gave no count."""

    def __init__(self, guards: Mapping[str, Optional[int]], details: str = "") -> None:
        self.guards = dict(guards)
        lines = ["the cases can't be compared, and nothing was written:"]
        for name, count in guards.items():
            said, help = in_words(name, count)
            lines += [f"  {said}{details} ({name})", f"    {help}"]
        super().__init__("\n".join(lines))


def in_words(name: str, count: Optional[int]) -> tuple[str, str]:
    """What a guard says, and what to do."""
    if count is None:
        return "the engine gave no count", "count tables that have rows"
    stem, _, side = name.rpartition("_")
    if name in _WORDS or side not in ("baseline", "candidate"):
        stem = name
    unknown = (f"the guard is {count}, and must be 0",) * 2 + ("use the gate that wrote the SQL",)
    one, several, help = _WORDS.get(stem, unknown)
    return (one if count == 1 else several).format(n=count, side=side), help


def refuse_columns_alike(tables: Mapping[str, Iterable[str]]) -> None:
    """Refuses names that differ by case only, of each table on its own.

    An engine that ignores case answers with either column: SQL can't see it, so nothing may be registered before.
    """
    alike, count = [], 0
    for side, columns in tables.items():
        by_name: dict[str, list[str]] = {}
        for column in columns:
            by_name.setdefault(column.lower(), []).append(column)
        for same in by_name.values():
            if len(same) > 1:
                count += len(same) - 1
                alike.append(f"{' and '.join(f'`{name}`' for name in same)} of the {side}")
    if alike:
        raise GuardError({ALIKE: count}, f": {', '.join(alike)}")
