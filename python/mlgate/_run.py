"""One training run, recorded while it happens."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import os
import pathlib
import secrets
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Optional, Union

from . import _facts, _files, _lines
from ._errors import NotRecorded
from ._files import PathLike, digest_of_ids, inside, measured, workspace, write_whole
from ._secrets import HIDDEN, is_secret_name
from ._values import Number, column, number, plain
from ._version import __version__
from .cases import Aggregates

_active: list["Run"] = []
_lock = threading.RLock()


def active_run() -> Optional["Run"]:
    """The run that is being recorded now, or `None`."""
    return _active[-1] if _active else None


def record(
    path: Optional[PathLike] = None,
    *,
    model: Optional[str] = None,
    run_id: Optional[str] = None,
    name: Optional[str] = None,
    data_version: Optional[str] = None,
    seed: Optional[int] = None,
    tags: Optional[Mapping[str, Any]] = None,
    source: Optional[str] = None,
    lockfile: Optional[str] = None,
    container: Optional[str] = None,
    allow_nan: bool = False,
    keep_failed: bool = False,
) -> "Run":
    """Records one training run; use it in a `with` statement.

    Commit, uncommitted changes, command, script, environment, lockfile and times are recorded by themselves. The record
    is written when the block ends without an exception, whole or not at all.

    path: where to write the record; default `runs/RUN_ID.json` beside `gate.yaml`.
    model: the line of models that the run belongs to, such as `churn`.
    allow_nan: keep metrics that are NaN or infinite. `gate` fails a run that has them.
    keep_failed: when the block raises, write a record whose `status` is `failed`; `gate` fails it. By default, nothing
        is written and an earlier record at the same path stays as it was.

    Under torchrun, accelerate or MPI only rank 0 writes; on the other ranks every method does nothing. Inside
    `gate record -- …` the values go into the record that `gate` writes.
    """
    return Run(
        path,
        model=model,
        run_id=run_id,
        name=name,
        data_version=data_version,
        seed=seed,
        tags=tags,
        source=source,
        lockfile=lockfile,
        container=container,
        allow_nan=allow_nan,
        keep_failed=keep_failed,
    )


class Run:
    """A run that is being recorded. Made by `record`."""

    def __init__(
        self,
        path: Optional[PathLike],
        *,
        model: Optional[str] = None,
        run_id: Optional[str] = None,
        name: Optional[str] = None,
        data_version: Optional[str] = None,
        seed: Optional[int] = None,
        tags: Optional[Mapping[str, Any]] = None,
        source: Optional[str] = None,
        lockfile: Optional[str] = None,
        container: Optional[str] = None,
        allow_nan: bool = False,
        keep_failed: bool = False,
    ) -> None:
        self._root = workspace(pathlib.Path.cwd())
        self._allow_nan = allow_nan
        self._keep_failed = keep_failed
        self._silent = _facts.rank() != 0
        self._lines_file = os.environ.get(_lines.VARIABLE) or None
        self._pid = os.getpid()
        self._state = "new"
        self._started = _now()
        self._run_id = run_id or _new_id(self._started, model or (pathlib.Path(path).stem if path else None))
        self.path = pathlib.Path(os.path.abspath(path)) if path else self._root / "runs" / f"{self._run_id}.json"
        self._source, self._lockfile, self._container = source, lockfile, container
        self._fields: dict[str, Any] = {"model": model, "name": name}
        self._tags: dict[str, Any] = {}
        self._params: dict[str, Any] = {}
        self._metrics: dict[str, Any] = {}
        self._slices: dict[str, Any] = {}
        self._data: list[dict[str, Any]] = []
        self._validation: dict[str, Any] = {}
        self._artifacts: list[tuple[str, Optional[str]]] = []
        self._predictions: Optional[pathlib.Path] = None
        self._aggregates: dict[str, Any] = {}
        self._environment: dict[str, Any] = {}
        # The data of the last `fit`, so that a score on the same data is not taken for a validation.
        self.fitted_on: Optional[Any] = None
        if not self._silent and path is not None:
            inside(self._root, self.path, "record")
        if tags:
            self.tags(**tags)
        if data_version is not None:
            self.data_version(data_version)
        if seed is not None:
            self.seed(seed)

    # The `with` block.

    def __enter__(self) -> "Run":
        if self._state != "new":
            raise NotRecorded("a run is recorded once; call record() again for another run")
        self._state = "running"
        self._started = _now()
        if not self._silent and self._lines_file is None:
            # The code and the lockfile as training starts, not as they are hours later.
            self._code = _facts.Code(self._root)
            self._command = _facts.command()
            self._environment = {**_facts.environment(self._root, self._lockfile), **self._environment}
        with _lock:
            _active.append(self)
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        failed = kind is not None and not (isinstance(error, SystemExit) and error.code in (None, 0))
        with _lock:
            if self in _active:
                _active.remove(self)
        if self._state != "running":
            return
        self._state = "ended"
        # A forked worker inherits the run, and must not write its parent's record.
        if self._silent or os.getpid() != self._pid:
            return
        if failed and not self._keep_failed:
            print(f"mlgate: the run failed, so no record was written to {self._shown()}", file=sys.stderr)
            return
        if self._lines_file is not None:
            if not failed:
                _lines.append(self._lines_file, self._for_lines())
            return
        self._write("failed" if failed else "finished")

    # What the training script reports.

    def params(self, values: Optional[Mapping[str, Any]] = None, /, **more: Any) -> None:
        """Parameters: numbers, text, lists, nested dicts. A secret by its name, such as `api_key`, is masked."""
        for name, value in {**(values or {}), **more}.items():
            self._put(self._params, str(name), _masked(str(name), plain(value, f"the parameter {name!r}")))

    def seed(self, value: int) -> None:
        """The random seed of the training."""
        self._set("seed", plain(value, "the seed"))

    def data_version(self, value: Any) -> None:
        """The dataset version: a date, a tag, a commit of DVC."""
        self._set("data_version", str(plain(value, "the data version")))

    def tags(self, values: Optional[Mapping[str, Any]] = None, /, **more: Any) -> None:
        """Names with values, for people and for `where:` in a policy."""
        for name, value in {**(values or {}), **more}.items():
            self._tags[str(name)] = plain(value, f"the tag {name!r}")

    def environment(self, **values: Any) -> None:
        """More about the environment, such as `container="image@sha256:…"`."""
        for name, value in values.items():
            self._environment[name] = plain(value, f"environment.{name}")

    def data(
        self,
        path: Optional[PathLike] = None,
        role: Optional[str] = None,
        *,
        name: Optional[str] = None,
        uri: Optional[str] = None,
        digest: Optional[str] = None,
        rows: Optional[int] = None,
    ) -> None:
        """A dataset: a file, whose SHA-256 and rows are taken now, or a `uri` with the digest that you know."""
        if self._silent:
            return
        if (path is None) == (uri is None):
            raise NotRecorded("data() needs a path or a uri")
        entry: dict[str, Any] = {"name": name or role, "role": role, "uri": uri, "digest": digest, "rows": rows}
        if path is not None:
            what = f"data file of role {role}" if role else "data file"
            file = measured(self._root, path, what)
            entry["name"] = entry["name"] or pathlib.PurePosixPath(file["path"]).stem
            if digest is not None and digest != file["digest"]:
                raise NotRecorded(f"the {what} {file['path']} has the digest {file['digest']}, not {digest}")
            entry.update(path=file["path"], digest=file["digest"])
            if rows is None:
                entry["rows"] = _files.rows(self._root / file["path"])
        elif digest is None:
            raise NotRecorded(f"data at {uri} needs its digest, such as digest='sha256:…': gate does not download it")
        order = ("name", "role", "uri", "path", "digest", "rows")
        entry = {key: entry[key] for key in order if entry.get(key) is not None}
        if entry in self._data:
            self._data.remove(entry)
        self._data.append(entry)

    def validation(
        self,
        path: Optional[PathLike] = None,
        *,
        split: Optional[str] = None,
        ids: Optional[Iterable[Any]] = None,
        digest: Optional[str] = None,
        rows: Optional[int] = None,
        strategy: Optional[str] = None,
        folds: Optional[Union[int, Sequence[Any]]] = None,
        seed: Optional[int] = None,
    ) -> None:
        """What the metrics are measured on: a file, or the ids of its examples, or a digest that you know.

        Two runs are comparable when they have the same digest. The digest of `ids` is the SHA-256 of the ids as text,
        sorted, one a line: the order of the examples does not matter.
        """
        if self._silent:
            return
        if sum(given is not None for given in (path, ids, digest)) > 1:
            raise NotRecorded("validation() takes one of path, ids and digest: each of them identifies the split")
        found: dict[str, Any] = {"split": split, "strategy": strategy, "seed": seed}
        if folds is not None:
            found["folds"] = plain(folds, "the folds")
        if path is not None:
            self.data(path, role="validation")
            file = self._data[-1]
            found.update(digest=file["digest"], rows=file.get("rows"))
            found["split"] = split or pathlib.PurePosixPath(file["path"]).stem
        elif ids is not None:
            found["digest"], found["rows"] = digest_of_ids(column(ids, "ids"))
        elif digest is not None:
            found["digest"] = digest
        if rows is not None:
            if found.get("rows") not in (None, rows):
                raise NotRecorded(f"the validation split has {found['rows']} examples, and rows={rows} was passed")
            found["rows"] = rows
        self._validation.update({key: value for key, value in found.items() if value is not None})

    def metrics(
        self, values: Optional[Mapping[str, Any]] = None, /, *, step: Optional[int] = None, **more: Any
    ) -> None:
        """Metrics: finite numbers of Python, numpy, pandas or torch.

        A metric that is passed again replaces the value before. With `step`, the smallest and the largest value of the
        history are kept as `best`. A dict such as `{"value": 0.84, "stderr": 0.01, "n": 2000}` says more, and a list
        has one number for each seed or fold; its value is their mean.
        """
        for name, value in {**(values or {}), **more}.items():
            self._metric(self._metrics, str(name), value, step)

    def slice(self, name: str, *, rows: Optional[int] = None, **metrics: Any) -> None:
        """The same metrics on a part of the validation split, such as `run.slice("region=EU", rows=500, f1=0.8)`."""
        entry = self._slices.setdefault(name, {"metrics": {}})
        if rows is not None:
            entry["rows"] = int(rows)
        for metric, value in metrics.items():
            self._metric(entry["metrics"], metric, value, None, f"{metric} of the slice {name}")

    def predictions(
        self,
        ids: Optional[Iterable[Any]] = None,
        y_true: Optional[Iterable[Any]] = None,
        y_pred: Optional[Iterable[Any]] = None,
        *,
        score: Optional[Iterable[Any]] = None,
        slices: Optional[Mapping[str, Iterable[Any]]] = None,
        path: Optional[PathLike] = None,
        aggregates: Optional[Union[Aggregates, PathLike]] = None,
    ) -> None:
        """Predictions on the validation split, one for each example.

        They are written as CSV with the columns `id`, `y_true`, `y_pred`, `score` and those of `slices`, to `path` or
        beside the record. Without columns, `path` names a CSV or Parquet file that training wrote itself.

        Where the rows are too many to record, `aggregates` takes what `mlgate.cases.spark` or `mlgate.cases.duckdb`
        returned, or the path of a file that another engine wrote.
        """
        if self._silent:
            return
        if aggregates is not None:
            if any(given is not None for given in (ids, y_true, y_pred, score, slices, path)):
                raise NotRecorded("predictions() takes aggregates in place of columns and path, not with them")
            self._use_aggregates(aggregates)
            return
        target = pathlib.Path(os.path.abspath(path)) if path else self.path.with_suffix(".predictions.csv")
        given = {"id": ids, "y_true": y_true, "y_pred": y_pred, "score": score, **(slices or {})}
        columns = {name: column(values, name) for name, values in given.items() if values is not None}
        if not columns:
            if path is None:
                raise NotRecorded("predictions() needs columns, or the path of a file that has them")
            self._predictions, self._aggregates = target, {}
            return
        if "id" not in columns:
            raise NotRecorded("predictions() needs ids: without them, two runs can't be compared example by example")
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            raise NotRecorded(f"the columns of predictions() differ in length: {listed}")
        if len({str(value) for value in columns["id"]}) < lengths["id"]:
            raise NotRecorded("an id appears more than once in predictions()")
        inside(self._root, target, "file of predictions")
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values()))
        write_whole(target, text.getvalue())
        self._predictions, self._aggregates = target, {}
        self._validation.setdefault("rows", lengths["id"])

    def _use_aggregates(self, aggregates: Union[Aggregates, PathLike]) -> None:
        path = aggregates.path if isinstance(aggregates, Aggregates) else aggregates
        file = measured(self._root, path, "file of aggregates")
        self._predictions = None
        self._aggregates = {"aggregates": file.pop("path"), **file}
        if isinstance(aggregates, Aggregates):
            if file["digest"] != aggregates.digest:
                raise NotRecorded(f"the file of aggregates {path} changed after it was written; aggregate the cases again")
            self._aggregates.update(engine=aggregates.engine, statements=aggregates.statement_digest)
            self._validation.setdefault("rows", aggregates.rows["candidate"])

    def artifact(self, path: PathLike, *, kind: Optional[str] = None) -> None:
        """A file that the run saves. Its digest is taken when the run ends, so it may be named before it is written."""
        if self._silent:
            return
        relative = inside(self._root, path, "artifact")
        if all(known != relative for known, _ in self._artifacts):
            self._artifacts.append((relative, kind))

    # Private methods.

    def _set(self, field: str, value: Any) -> None:
        if self._fields.get(field) not in (None, value):
            raise NotRecorded(f"{field} is {self._fields[field]!r} already, and can't become {value!r}")
        self._fields[field] = value

    def _put(self, into: dict[str, Any], name: str, value: Any) -> None:
        if name in into and into[name] != value:
            raise NotRecorded(f"the parameter {name!r} is {into[name]!r} already, and can't become {value!r}")
        into[name] = value

    def _metric(
        self, into: dict[str, Any], name: str, value: Any, step: Optional[int], what: Optional[str] = None
    ) -> None:
        what = f"the metric {what or name!r}"
        if isinstance(value, Mapping):
            unknown = set(value) - _METRIC_KEYS
            if unknown or "value" not in value:
                keys = ", ".join(sorted(_METRIC_KEYS))
                raise NotRecorded(f"{what} is a dict, which needs `value` and may have {keys}; nest metrics by a dotted name")
            entry = {key: plain(inner, f"{what}.{key}") for key, inner in value.items()}
            entry["value"] = number(value["value"], what, self._allow_nan)
            into[name] = entry
            return
        if isinstance(value, (list, tuple)):
            values = [number(one, f"{what}[{index}]", self._allow_nan) for index, one in enumerate(value)]
            if not values:
                raise NotRecorded(f"{what} is an empty list")
            into[name] = {"value": sum(values) / len(values), "values": values}
            return
        self._last(into, name, number(value, what, self._allow_nan), step)

    def observe(self, name: str, value: Number, step: Optional[int] = None) -> None:
        """One metric that a library reported. One that is not finite stops the run at its end, and not in its middle."""
        self._last(self._metrics, name, value, step)

    def _last(self, into: dict[str, Any], name: str, value: Number, step: Optional[int]) -> None:
        if step is None:
            into[name] = value
            return
        before = into.get(name)
        best = dict(before.get("best", {})) if isinstance(before, dict) else {}
        if math.isfinite(value):
            best = {"min": min(best.get("min", value), value), "max": max(best.get("max", value), value)}
        into[name] = {"value": value, "step": int(step), **({"best": best} if best else {})}

    def _shown(self) -> str:
        try:
            return self.path.relative_to(pathlib.Path.cwd()).as_posix()
        except ValueError:
            return str(self.path)

    def _files(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._predictions is not None:
            found["predictions"] = measured(self._root, self._predictions, "file of predictions")
        elif self._aggregates:
            found["predictions"] = self._unchanged_aggregates()
        artifacts = []
        for path, kind in self._artifacts:
            file = measured(self._root, self._root / path, "artifact")
            if file["bytes"] == 0:
                raise NotRecorded(f"the artifact {path} is empty. Save the model before the run ends")
            artifacts.append({**file, "kind": kind} if kind else file)
        if len(artifacts) == 1:
            found["artifact"] = artifacts[0]
        elif artifacts:
            found["artifacts"] = artifacts
        return found

    def _check_data(self) -> None:
        for entry in self._data:
            if "path" not in entry:
                continue
            now = measured(self._root, self._root / entry["path"], "data file")["digest"]
            if now != entry["digest"]:
                raise NotRecorded(f"the data file {entry['path']} changed while the run was recorded; train again")

    def _check_metrics(self) -> None:
        for name, metric in self._metrics.items():
            value = metric["value"] if isinstance(metric, dict) else metric
            number(value, f"the metric {name!r}", self._allow_nan)

    def _write(self, status: str) -> None:
        written = {path for path, _ in self._artifacts}
        written.add(inside(self._root, self.path, "record"))
        if self._predictions is not None:
            written.add(inside(self._root, self._predictions, "file of predictions"))
        if self._aggregates:
            written.add(self._aggregates["aggregates"])
        files: dict[str, Any] = {}
        if status == "finished":
            self._check_data()
            self._check_metrics()
            files = self._files()
        if self._container is not None:
            self._environment["container"] = self._container
        start = pathlib.Path.cwd()
        folder = start.relative_to(self._root).as_posix() if self._root in start.parents else None
        content = {
            "run_id": self._run_id,
            "name": self._fields.get("name"),
            "model": self._fields.get("model"),
            "tags": self._tags,
            "status": status,
            "git_commit": self._code.commit,
            "git_branch": self._code.branch,
            "git_dirty": self._code.dirty(written),
            "command": self._command,
            "folder": folder,
            "source": self._source or _facts.source(self._root),
            "data_version": self._fields.get("data_version"),
            "data": self._data,
            "validation": self._validation,
            "params": self._params,
            "seed": self._fields.get("seed", _seed_of(self._params)),
            "metrics": self._metrics,
            "slices": self._slices,
            **files,
            "environment": self._environment,
            "created_at": _text(self._started),
            "ended_at": _text(_now()),
            "recorder": {"name": "mlgate", "version": __version__},
        }
        kept = {key: value for key, value in content.items() if value is not None and value not in ({}, [])}
        write_whole(self.path, json.dumps(kept, indent=2, ensure_ascii=False, allow_nan=True) + "\n")

    def _unchanged_aggregates(self) -> dict[str, Any]:
        now = measured(self._root, self._root / self._aggregates["aggregates"], "file of aggregates")
        if now["digest"] != self._aggregates["digest"]:
            raise NotRecorded(f"the file of aggregates {now['path']} changed while the run was recorded")
        return self._aggregates

    def _for_lines(self) -> dict[str, Any]:
        has_file = any(entry.get("role") == "validation" for entry in self._data)
        if self._validation.get("digest") and not has_file:
            print(
                "mlgate: inside `gate record`, the digest of the validation split comes from --validation FILE; the "
                "ids or the digest that were passed here are not recorded",
                file=sys.stderr,
            )
        return {
            **self._fields,
            "tags": self._tags,
            "params": self._params,
            "metrics": self._metrics,
            "slices": self._slices,
            "validation": self._validation,
            "data": [(entry.get("role") or entry["name"], entry["path"]) for entry in self._data if "path" in entry],
            "artifacts": [path for path, _ in self._artifacts],
            "predictions": None if self._predictions is None else inside(self._root, self._predictions, "predictions"),
            "aggregates": self._unchanged_aggregates() if self._aggregates else {},
        }


_METRIC_KEYS = {"value", "stderr", "n", "values", "step", "best", "dataset", "dataset_digest", "higher_is_better"}
_SEEDS = ("seed", "random_state", "random_seed")


def _seed_of(params: Mapping[str, Any]) -> Any:
    for name in _SEEDS:
        value: Union[Number, None] = params.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _masked(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(key, inner) for key, inner in value.items()}
    return HIDDEN if isinstance(value, str) and value and is_secret_name(name) else value


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _text(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _new_id(moment: datetime.datetime, stem: Optional[str]) -> str:
    return f"{stem or 'run'}-{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
