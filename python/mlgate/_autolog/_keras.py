"""Keras: how `fit` was called, the optimizer, and the metrics of every epoch."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import log_metric, log_params

_ARGUMENTS = ("batch_size", "epochs", "validation_split", "steps_per_epoch")


def patch(keras: ModuleType) -> None:
    """Adds a callback to `Model.fit`."""

    class Recorder(keras.callbacks.Callback):  # type: ignore[name-defined,misc]
        def __init__(self, run: Run) -> None:
            super().__init__()
            self.run = run

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            for name, value in (logs or {}).items():
                log_metric(self.run, name, value, epoch)

    def fit(run: Run, original: Any, model: Any, *arguments: Any, **named: Any) -> Any:
        said = {name: named[name] for name in _ARGUMENTS if named.get(name) is not None}
        optimizer = getattr(model, "optimizer", None)
        if optimizer is not None:
            config = optimizer.get_config()
            said["optimizer"] = config.get("name")
            said["learning_rate"] = config.get("learning_rate")
        log_params(run, said)
        # The callbacks may also be keras's own container, which has `append`.
        callbacks = named.get("callbacks")
        if callbacks is not None and not isinstance(callbacks, (list, tuple)):
            callbacks.append(Recorder(run))
        else:
            named["callbacks"] = [*(callbacks or ()), Recorder(run)]
        return original(model, *arguments, **named)

    wrap(keras.Model, "fit", fit)
