"""scikit-learn: the parameters of every `fit`, and the result of every `score`."""

from __future__ import annotations

import functools
import weakref
from types import ModuleType
from typing import Any

from .._run import Run, active_run
from ._common import inside, log_metric, log_params


def patch(base: ModuleType) -> None:
    """Wraps `fit` and `score` of every estimator class, those that are defined later included."""
    root = base.BaseEstimator
    for cls in _classes(root):
        _wrap_class(cls, base)
    original = root.__init_subclass__.__func__

    def __init_subclass__(cls: Any, /, **named: Any) -> None:
        original(cls, **named)
        _wrap_class(cls, base)

    root.__init_subclass__ = classmethod(__init_subclass__)


def _classes(cls: type) -> list[type]:
    found: list[type] = [cls]
    subclasses: list[type] = cls.__subclasses__()
    for below in subclasses:
        found += _classes(below)
    return found


def _wrap_class(cls: type, base: ModuleType) -> None:
    # Most estimators inherit `score` from one of the two mixins, which are not estimators themselves.
    for owner in (cls, base.ClassifierMixin, base.RegressorMixin):
        for name, log in (("fit", _fitted), ("score", _scored)):
            method: Any = owner.__dict__.get(name)
            if hasattr(method, "fn") and hasattr(method, "check"):
                # A method that exists only if a step of the pipeline has it.
                if not getattr(method.fn, "_mlgate", False):
                    method.fn = _outermost(method.fn, log, base)
            elif callable(method) and not getattr(method, "_mlgate", False):
                setattr(owner, name, _outermost(method, log, base))


def _outermost(method: Any, log: Any, base: ModuleType) -> Any:
    """The method; what it says is recorded unless another estimator called it."""

    @functools.wraps(method)
    def wrapped(self: Any, *arguments: Any, **named: Any) -> Any:
        run = active_run()
        if run is None or getattr(inside, "busy", False):
            return method(self, *arguments, **named)
        inside.busy = True
        try:
            result = method(self, *arguments, **named)
        finally:
            inside.busy = False
        log(run, self, result, arguments, named, base)
        return result

    wrapped._mlgate = True  # type: ignore[attr-defined]
    return wrapped


def _fitted(run: Run, estimator: Any, result: Any, arguments: Any, named: Any, base: ModuleType) -> None:
    features = arguments[0] if arguments else named.get("X")
    try:
        run.fitted_on = weakref.ref(features)
    except TypeError:
        run.fitted_on = None
    log_params(run, {"estimator": type(estimator).__name__, **estimator.get_params(deep=True)})
    best = getattr(estimator, "best_params_", None)
    if isinstance(best, dict):
        log_params(run, {f"best_{name}": value for name, value in best.items()})
        log_metric(run, "best_cv_score", estimator.best_score_)


def _scored(run: Run, estimator: Any, result: Any, arguments: Any, named: Any, base: ModuleType) -> None:
    last = getattr(estimator, "_final_estimator", estimator)
    method = getattr(type(last), "score", None)
    names = {base.ClassifierMixin.score: "accuracy", base.RegressorMixin.score: "r2"}
    name = names.get(method, "score")
    features = arguments[0] if arguments else named.get("X")
    # The score on the training data must not be taken for the one on the validation split.
    if run.fitted_on is not None and features is not None and run.fitted_on() is features:
        name = f"train_{name}"
    log_metric(run, name, result)
