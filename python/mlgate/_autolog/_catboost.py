"""CatBoost: the parameters of a training, and the last metrics of its evaluation sets."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import log_metric, log_params


def patch(catboost: ModuleType) -> None:
    """Wraps `fit`, which every model of CatBoost has from its base class."""

    def fit(run: Run, original: Any, model: Any, *arguments: Any, **named: Any) -> Any:
        result = original(model, *arguments, **named)
        log_params(run, {"estimator": type(model).__name__, **model.get_params()})
        for dataset, metrics in (model.get_evals_result() or {}).items():
            for metric, history in metrics.items():
                for step, value in enumerate(history):
                    log_metric(run, f"{dataset}_{metric}", value, step)
        return result

    for name in ("CatBoost", "CatBoostClassifier", "CatBoostRegressor", "CatBoostRanker"):
        cls = getattr(catboost, name, None)
        if cls is not None and "fit" in cls.__dict__:
            wrap(cls, "fit", fit)
