"""LightGBM: the parameters of a training, and the metrics of its validation sets after every round."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import inside, log_metric, log_params


def patch(lightgbm: ModuleType) -> None:
    """Adds a callback to `lightgbm.train`, which the scikit-learn interface calls too."""

    def train(run: Run, original: Any, params: Any, *arguments: Any, **named: Any) -> Any:
        def recorder(env: Any) -> None:
            for dataset, metric, value, *_ in env.evaluation_result_list or ():
                log_metric(run, f"{dataset}_{metric}", value, env.iteration)

        rounds = named.get("num_boost_round", arguments[1] if len(arguments) > 1 else 100)
        # For an estimator, `fit` records the parameters under the script's names.
        if not getattr(inside, "busy", False):
            log_params(run, {**dict(params), "num_boost_round": rounds})
        # Runs before early stopping, which ends the loop with an exception.
        recorder.order = 0  # type: ignore[attr-defined]
        named["callbacks"] = [*(named.get("callbacks") or ()), recorder]
        booster = original(params, *arguments, **named)
        if getattr(booster, "best_iteration", 0) > 0:
            log_params(run, {"best_iteration": booster.best_iteration})
        return booster

    for module in (lightgbm, lightgbm.engine, getattr(lightgbm, "sklearn", None)):
        if module is not None and hasattr(module, "train"):
            wrap(module, "train", train)
