"""Parameters and metrics recorded by themselves, from the libraries that training uses.

Each library has a module of a few lines: what it patches, or the callback that it adds. A library that is imported
later is patched when it is imported; one that is never imported costs nothing.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any, Optional

from .._files import PathLike
from .._run import Run, active_run, record

# The module whose import completes a library, and the module here that patches it.
LIBRARIES = {
    "sklearn.base": "_sklearn",
    "xgboost": "_xgboost",
    "lightgbm": "_lightgbm",
    "catboost": "_catboost",
    "keras": "_keras",
    "lightning.pytorch": "_lightning",
    "pytorch_lightning": "_lightning",
    "transformers": "_transformers",
}
_patched: set[str] = set()
_lock = threading.RLock()


def autolog(path: Optional[PathLike] = None, **options: Any) -> Optional[Run]:
    """Records what scikit-learn, XGBoost, LightGBM, CatBoost, Keras, Lightning and transformers are told and measure.

    Inside `with mlgate.record(...)`, call it without arguments. In a script without such a block, call it once at the
    top with the arguments of `record`: the run starts now, and its record is written when the script ends well.

        mlgate.autolog("runs/churn.json", model="churn")

    Outside a run, the libraries work as they always do.
    """
    with _lock:
        for library in LIBRARIES:
            if library in sys.modules:
                _patch(library)
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
    if path is None and not options:
        return None
    return _until_the_end(record(path, **options))


def _until_the_end(run: Run) -> Run:
    error: list[BaseException] = []
    shown = sys.excepthook

    def noted(kind: type[BaseException], value: BaseException, trace: Optional[types.TracebackType]) -> None:
        error.append(value)
        shown(kind, value, trace)

    def end() -> None:
        raised = error[0] if error else None
        try:
            run.__exit__(type(raised) if raised else None, raised, None)
        except Exception as problem:
            # An exception in an exit handler can't change the exit code, so this makes a missing record visible.
            print(f"mlgate: no record was written: {problem}", file=sys.stderr)

    sys.excepthook = noted
    run.__enter__()
    atexit.register(end)
    return run


def _patch(library: str) -> None:
    if library in _patched:
        return
    _patched.add(library)
    module = importlib.import_module(f"{__name__}.{LIBRARIES[library]}")
    try:
        module.patch(sys.modules[library])
    except (AttributeError, ImportError) as error:
        print(f"mlgate: autolog does not support this version of {library}: {error}", file=sys.stderr)


class _Finder(importlib.abc.MetaPathFinder):
    """Patches a library right after it was imported."""

    def __init__(self) -> None:
        self._inside: set[str] = set()

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[types.ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name not in LIBRARIES or name in _patched or name in self._inside:
            return None
        self._inside.add(name)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._inside.discard(name)
        if spec is None or spec.loader is None:
            return None
        spec.loader = _Loader(spec.loader, name)
        return spec


class _Loader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader, name: str) -> None:
        self._loader, self._name = loader, name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[types.ModuleType]:
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _patch(self._name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Replaces `owner.name` by `around(run, original, …)`, which is called only while a run is recorded."""
    original = getattr(owner, name)
    if getattr(original, "_mlgate", False):
        return

    @functools.wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        run = active_run()
        if run is None:
            return original(*arguments, **named)
        return around(run, original, *arguments, **named)

    wrapped._mlgate = True  # type: ignore[attr-defined]
    setattr(owner, name, wrapped)
