"""Lightning: the hyperparameters of the module, and the metrics that it logs."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import log_metric, log_params


def patch(lightning: ModuleType) -> None:
    """Adds a callback to `Trainer.fit`, `.validate` and `.test`."""

    class Recorder(lightning.Callback):  # type: ignore[name-defined,misc]
        def __init__(self, run: Run) -> None:
            self.run = run

        def _metrics(self, trainer: Any) -> None:
            if getattr(trainer, "sanity_checking", False):
                return
            for name, value in trainer.callback_metrics.items():
                log_metric(self.run, name, value, trainer.current_epoch)

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            self._metrics(trainer)

        def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
            self._metrics(trainer)

        def on_test_epoch_end(self, trainer: Any, module: Any) -> None:
            self._metrics(trainer)

    def around(run: Run, original: Any, trainer: Any, model: Any = None, *arguments: Any, **named: Any) -> Any:
        log_params(run, dict(getattr(model, "hparams", None) or {}))
        log_params(run, {"max_epochs": trainer.max_epochs})
        if not any(isinstance(one, Recorder) for one in trainer.callbacks):
            trainer.callbacks.append(Recorder(run))
        return original(trainer, model, *arguments, **named)

    for name in ("fit", "validate", "test"):
        wrap(lightning.Trainer, name, around)
