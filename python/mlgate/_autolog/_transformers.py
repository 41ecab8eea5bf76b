"""Hugging Face transformers: the training arguments, and what the Trainer logs and evaluates."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .._run import Run
from . import wrap
from ._common import log_metric, log_params


def patch(transformers: ModuleType) -> None:
    """Adds a callback to `Trainer.train` and `Trainer.evaluate`."""

    class Recorder(transformers.TrainerCallback):  # type: ignore[name-defined,misc]
        def __init__(self, run: Run) -> None:
            self.run = run

        def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            log_params(self.run, args.to_sanitized_dict())

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **named: Any) -> None:
            for name, value in (logs or {}).items():
                log_metric(self.run, name, value, state.global_step)

    def around(run: Run, original: Any, trainer: Any, *arguments: Any, **named: Any) -> Any:
        if not any(isinstance(one, Recorder) for one in trainer.callback_handler.callbacks):
            trainer.add_callback(Recorder(run))
        return original(trainer, *arguments, **named)

    for name in ("train", "evaluate"):
        wrap(transformers.Trainer, name, around)
