"""Files that a record names: paths inside the workspace, digests, rows, and writing whole."""

from __future__ import annotations

import hashlib
import os
import pathlib
import tempfile
from collections.abc import Iterable
from typing import Any, Optional, Union

from ._errors import NotRecorded

PathLike = Union[str, "os.PathLike[str]"]
POLICIES = ("gate.yaml", "gate.yml")


def workspace(folder: pathlib.Path) -> pathlib.Path:
    """What paths are relative to: the folder of the policy here or above, up to the top of the repository; else here."""
    for above in (folder, *folder.parents):
        if any((above / name).is_file() for name in POLICIES):
            return above
        if (above / ".git").exists():
            break
    return folder


def inside(root: pathlib.Path, path: PathLike, what: str) -> str:
    """A path as a record keeps it: relative to the workspace, with `/` between its parts."""
    full = pathlib.Path(os.path.abspath(path))
    try:
        relative = full.relative_to(root)
    except ValueError:
        raise NotRecorded(
            f"the {what} {os.fspath(path)} is outside the workspace {root}. The workspace is the folder of gate.yaml, "
            "or else the current folder; keep the file below it"
        ) from None
    return relative.as_posix()


def measured(root: pathlib.Path, path: PathLike, what: str) -> dict[str, Any]:
    """A file's path, SHA-256 and size."""
    relative = inside(root, path, what)
    full = root / relative
    if full.is_dir():
        raise NotRecorded(f"the {what} {relative} is a folder; name a file in it, or pack it into one file")
    try:
        with open(full, "rb") as file:
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotRecorded(f"the {what} {relative} can't be read: {reason}. Save it before the run ends") from None
    return {"path": relative, "digest": "sha256:" + digest.hexdigest(), "bytes": size}


def rows(path: pathlib.Path) -> Optional[int]:
    """Examples in a CSV, TSV or JSON Lines file; a table's first row is its head. `None` for other formats."""
    ending = path.suffix.lower()
    if ending not in (".csv", ".tsv", ".jsonl", ".ndjson"):
        return None
    is_table = ending in (".csv", ".tsv")
    count, quoted, content = 0, False, False
    with open(path, "rb") as file:
        for line in file:
            # A quoted field may contain line breaks.
            if is_table and line.count(b'"') % 2:
                quoted = not quoted
            content = content or bool(line.strip())
            if not quoted:
                count += content
                content = False
    count += content
    return max(count - 1, 0) if is_table else count


def digest_of_ids(ids: Iterable[Any]) -> tuple[str, int]:
    """The digest of a set of examples by their ids, and how many there are. Their order does not matter."""
    texts = sorted(_id_text(value) for value in ids)
    repeated = next((one for one, other in zip(texts, texts[1:]) if one == other), None)
    if repeated is not None:
        raise NotRecorded(f"the id {repeated!r} appears more than once in the validation split")
    if not texts:
        raise NotRecorded("the validation split has no ids")
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\n")
    return "sha256:" + digest.hexdigest(), len(texts)


def _id_text(value: Any) -> str:
    # pandas turns a column of integers into floats as soon as one value is missing.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)


def write_whole(path: pathlib.Path, content: Union[str, bytes]) -> None:
    """Writes a file so that a reader sees the old content or the new one, and never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except BaseException:
        try:
            os.unlink(name)
        except OSError:
            pass
        raise
