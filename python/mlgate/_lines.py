"""The lines that `gate record` reads from the command that it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

VARIABLE = "GATE_RECORD_FILE"
_AGGREGATES = {"aggregates": "aggregates", "aggregates.engine": "engine", "aggregates.statements": "statements"}
_FIELDS = ("model", "name", "seed", "data_version", "predictions")


def append(path: str, values: Mapping[str, Any]) -> None:
    """Appends what a run said to the file that `gate record` named."""
    with open(path, "a", encoding="utf-8") as file:
        for key, value in _lines(values):
            file.write(f"{key}={value}\n")


def _lines(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for field in _FIELDS:
        if values.get(field) is not None:
            yield field, _bare(values[field])
    for key, field in _AGGREGATES.items():
        if values["aggregates"].get(field) is not None:
            yield key, _bare(values["aggregates"][field])
    for name, value in values["tags"].items():
        yield f"tags.{name}", _bare(value)
    yield from _params("params", values["params"])
    for name, metric in values["metrics"].items():
        yield f"metrics.{name}", json.dumps(metric["value"] if isinstance(metric, dict) else metric)
    for key in ("split", "strategy", "seed"):
        if values["validation"].get(key) is not None:
            yield f"validation.{key}", _bare(values["validation"][key])
    for role, file in values["data"]:
        yield f"data.{role}", file
    for artifact in values["artifacts"]:
        yield "artifact", artifact
    if values["slices"]:
        yield "slices", json.dumps(values["slices"])


def _params(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        # Quote a name with a dot, so that it is not read as two names.
        key = f"{prefix}.{json.dumps(name) if '.' in name else name}"
        if isinstance(value, dict):
            yield from _params(key, value)
        elif value is not None:
            # As JSON, so that the text "0.10" stays text.
            yield key, json.dumps(value)


def _bare(value: Any) -> str:
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value)
