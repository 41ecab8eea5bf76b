"""Guards: counts that must be 0 before anything is aggregated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Optional

from .._errors import GateError

ALIKE = "columns_alike"
# For one, and for several; `{n}` is the count.
_WORDS = {
    "ids_missing": ("1 row has no id", "{n} rows have no id"),
    "ids_repeated": ("1 row repeats the id of another row", "{n} rows repeat the id of another row"),
    "only_baseline": ("1 id is in the baseline only", "{n} ids are in the baseline only"),
    "only_candidate": ("1 id is in the candidate only", "{n} ids are in the candidate only"),
    "labels_missing": ("1 row has no label", "{n} rows have no label"),
    "labels_differ": (
        "1 case has another label in the baseline than in the candidate",
        "{n} cases have another label in the baseline than in the candidate",
    ),
    "predictions_missing": ("1 row of the {side} has no prediction", "{n} rows of the {side} have no prediction"),
    "clusters_missing": ("1 row has no cluster", "{n} rows have no cluster"),
    "clusters_differ": (
        "1 case has another cluster in the baseline than in the candidate",
        "{n} cases have another cluster in the baseline than in the candidate",
    ),
    "slices_differ": (
        "1 case is in another slice in the baseline than in the candidate",
        "{n} cases are in another slice in the baseline than in the candidate",
    ),
    "scores_unusable": (
        "1 score of the {side} is missing, NaN or outside 0 to 1",
        "{n} scores of the {side} are missing, NaN or outside 0 to 1",
    ),
    "numbers_unusable_label": (
        "1 label is missing, NaN, infinite or not below 1,500,000 in size",
        "{n} labels are missing, NaN, infinite or not below 1,500,000 in size",
    ),
    "numbers_unusable": (
        "1 prediction of the {side} is missing, NaN, infinite or not below 1,500,000 in size",
        "{n} predictions of the {side} are missing, NaN, infinite or not below 1,500,000 in size",
    ),
    ALIKE: (
        "1 column has the name of another one but for case",
        "{n} columns have the name of another one but for case",
    ),
}


class GuardError(GateError):
    """The cases can't be compared as they are. Nothing was written."""

    guards: dict[str, Optional[int]]
    """The guards that are not 0, with their counts. `None`: the engine gave no count."""

    def __init__(self, guards: Mapping[str, Optional[int]], help: Optional[str] = None) -> None:
        self.guards = dict(guards)
        lines = [f"  {in_words(name, count)} ({name})" for name, count in guards.items()]
        text = "the cases can't be compared, and nothing was written:\n" + "\n".join(lines)
        super().__init__(f"{text}\n{help}" if help else text)


def in_words(name: str, count: Optional[int]) -> str:
    """A guard and its count as a sentence."""
    if count is None:
        return f"the engine gave no count of {name}; is a table empty?"
    stem, _, side = name.rpartition("_")
    if side not in ("baseline", "candidate") or name in _WORDS:
        stem = name
    one, several = _WORDS.get(stem, ("{n} row", "{n} rows"))
    return (one if count == 1 else several).format(n=f"{count:,}", side=side)


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
                alike.append(f"{', '.join(f'`{name}`' for name in same)} of the {side}")
    if alike:
        raise GuardError({ALIKE: count}, f"Rename or drop columns so that an engine can tell them apart: {'; '.join(alike)}")
