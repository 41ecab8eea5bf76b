"""Values of other libraries as plain JSON values."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any, Union

from ._errors import NotRecorded

Number = Union[int, float]


def _unwrapped(value: Any) -> Any:
    """A scalar of numpy, pandas, torch, TensorFlow or JAX as Python's own; anything else as it is."""
    if isinstance(value, (str, bytes, bool, int, float, Mapping)):
        return value
    if hasattr(value, "detach"):  # a tensor of torch, perhaps on a GPU
        value = value.detach()
    shape = getattr(value, "shape", None)
    if shape is not None and not callable(shape) and len(shape) == 0:
        for name in ("item", "numpy"):
            method = getattr(value, name, None)
            if callable(method):
                unwrapped: Any = method()
                return _unwrapped(unwrapped) if name == "numpy" else unwrapped
    return value


def number(value: Any, what: str, allow_nan: bool = False) -> Number:
    """A metric's value: a number of Python, numpy, pandas or torch. Booleans and text are refused."""
    value = _unwrapped(value)
    if isinstance(value, enum.Enum) or isinstance(value, bool):
        raise NotRecorded(f"{what} is {value!r}, which is not a number")
    if isinstance(value, (decimal.Decimal, fractions.Fraction)):
        value = float(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        plain_number = float(value)
        if not allow_nan and not math.isfinite(plain_number):
            raise NotRecorded(
                f"{what} is {plain_number}, which is not a finite number. Find out why training computed it (a division by "
                "zero, an empty class, a diverged loss), or pass allow_nan=True to record() to keep it"
            )
        return plain_number
    raise NotRecorded(
        f"{what} is {_described(value)}, which is not a number. Pass a single number, such as float(value)"
    )


def plain(value: Any, what: str, objects: bool = False) -> Any:
    """A parameter or a tag as JSON: scalars, lists and mappings. `objects` keeps anything else as its class's name."""
    value = _unwrapped(value)
    if value is None or isinstance(value, (bool, str)):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, enum.Enum):
        return plain(value.value, what, objects)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, (decimal.Decimal, fractions.Fraction)):
        return plain(float(value), what, objects)
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, os.PathLike):
        return str(os.fspath(value)).replace(os.sep, "/")
    if isinstance(value, Mapping):
        return {str(key): plain(inner, f"{what}.{key}", objects) for key, inner in value.items()}
    tolist = getattr(value, "tolist", None)
    if callable(tolist):
        value = tolist()
        if not isinstance(value, list):
            return plain(value, what, objects)
    if isinstance(value, (list, tuple)):
        return [plain(inner, f"{what}[{index}]", objects) for index, inner in enumerate(value)]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(inner, what, objects) for inner in value), key=str)
    if objects:
        return getattr(value, "__name__", None) or type(value).__name__
    raise NotRecorded(
        f"{what} is {_described(value)}, which can't be written as JSON. Pass a number, text, a list or a dict"
    )


def column(values: Iterable[Any], what: str) -> list[Any]:
    """One value for each example, as a list of Python's own scalars."""
    if isinstance(values, (str, bytes, Mapping)):
        raise NotRecorded(f"{what} is {_described(values)}; pass a list or an array with one value for each example")
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    tolist = getattr(values, "tolist", None)
    listed = tolist() if callable(tolist) else list(values)
    if not isinstance(listed, list):
        raise NotRecorded(f"{what} is one value; pass one for each example")
    listed = [_unwrapped(value) for value in listed]
    nested = next((value for value in listed if isinstance(value, (list, tuple, Mapping))), None)
    if nested is not None:
        raise NotRecorded(f"{what} has more than one value for each example; pass one column of it")
    return listed


def _described(value: Any) -> str:
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    shape = getattr(value, "shape", None)
    return f"a {name} of shape {tuple(shape)}" if isinstance(shape, tuple) else f"a {name}"
