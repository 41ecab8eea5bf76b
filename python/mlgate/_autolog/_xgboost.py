"""XGBoost: the parameters of a training, and the metrics of its evaluation sets after every round."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import inside, log_metric, log_params


def patch(xgboost: ModuleType) -> None:
    """Adds a callback to `xgboost.train`, which the scikit-learn interface calls too."""

    class Recorder(xgboost.callback.TrainingCallback):  # type: ignore[name-defined,misc]
        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            for dataset, metrics in evals_log.items():
                for metric, history in metrics.items():
                    last = history[-1]
                    log_metric(self.run, f"{dataset}_{metric}", last[0] if isinstance(last, tuple) else last, epoch)
            return False

    def train(run: Run, original: Any, params: Any, *arguments: Any, **named: Any) -> Any:
        rounds = named.get("num_boost_round", arguments[1] if len(arguments) > 1 else 10)
        # For an estimator, `fit` records the parameters under the script's names.
        if not getattr(inside, "busy", False):
            log_params(run, {**dict(params), "num_boost_round": rounds})
        named["callbacks"] = [*(named.get("callbacks") or ()), Recorder(run)]
        booster = original(params, *arguments, **named)
        best = booster.attr("best_iteration")
        if best is not None:
            log_params(run, {"best_iteration": int(best)})
        return booster

    for module in (xgboost, xgboost.training, getattr(xgboost, "sklearn", None)):
        if module is not None and hasattr(module, "train"):
            wrap(module, "train", train)
