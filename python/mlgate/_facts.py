"""What is true of a run before it starts: commit, command, machine, packages, lockfile."""

from __future__ import annotations

import os
import pathlib
import platform
import subprocess
import sys
from importlib import metadata
from typing import Any, Optional

from ._files import measured
from ._secrets import without_secrets

LOCKFILES = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pixi.lock",
    "conda-lock.yml",
    "renv.lock",
    "requirements.lock",
    "requirements.txt",
)
# A file of code that git does not know makes the tree dirty; a data file does not.
CODE = (".py", ".pyx", ".ipynb", ".r", ".jl", ".sh", ".rs", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".scala", ".sql")
# Variables that change what training computes. Any other may contain a secret, and is never read.
VARIABLES = (
    "BLIS_NUM_THREADS CUBLAS_WORKSPACE_CONFIG CUDA_DEVICE_ORDER CUDA_LAUNCH_BLOCKING CUDA_VISIBLE_DEVICES "
    "JAX_DEFAULT_MATMUL_PRECISION JAX_ENABLE_X64 JAX_PLATFORMS LANG LC_ALL MKL_CBWR MKL_NUM_THREADS "
    "NUMEXPR_NUM_THREADS NVIDIA_TF32_OVERRIDE OMP_NUM_THREADS OPENBLAS_NUM_THREADS PYTHONHASHSEED PYTHONOPTIMIZE "
    "PYTHONUTF8 RANK TF_CUDNN_DETERMINISTIC TF_DETERMINISTIC_OPS TF_ENABLE_ONEDNN_OPTS TOKENIZERS_PARALLELISM TZ "
    "VECLIB_MAXIMUM_THREADS WORLD_SIZE"
).split()


def _git(root: pathlib.Path, *arguments: str) -> Optional[str]:
    try:
        answer = subprocess.run(
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return None
    return os.fsdecode(answer.stdout) if answer.returncode == 0 else None


class Code:
    """The commit that training runs on, and the files with changes that no commit has."""

    def __init__(self, root: pathlib.Path) -> None:
        commit = _git(root, "rev-parse", "HEAD")
        branch = _git(root, "symbolic-ref", "--quiet", "--short", "HEAD")
        self.commit = commit.strip() if commit else None
        self.branch = branch.strip() if branch else None
        prefix = _git(root, "rev-parse", "--show-prefix")
        self._prefix = (prefix or "").strip("\n")
        status = _git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames")
        self._changed = None if status is None else [line for line in status.split("\0") if len(line) > 3]

    def dirty(self, written: set[str]) -> Optional[bool]:
        """Whether code had changes that no commit has. Files that the run itself writes do not count."""
        if self.commit is None or self._changed is None:
            return None
        for line in self._changed:
            state, path = line[:2], line[3:]
            if state == "??" and not path.lower().endswith(CODE):
                continue
            if path.startswith(self._prefix) and path[len(self._prefix) :] in written:
                continue
            return True
        return False


def command() -> list[str]:
    """This process's command line, without secrets."""
    words = list(getattr(sys, "orig_argv", [])) or [sys.executable or "python", *sys.argv]
    return without_secrets([os.path.basename(words[0]), *words[1:]])


def source(root: pathlib.Path) -> Optional[str]:
    """The script that runs, or the notebook; `None` in an interactive session."""
    main = sys.modules.get("__main__")
    candidates = [
        os.environ.get("JPY_SESSION_NAME"),
        vars(main).get("__vsc_ipynb_file__") if main else None,
        getattr(main, "__file__", None),
    ]
    for candidate in candidates:
        if not candidate:
            continue
        path = pathlib.Path(os.path.abspath(candidate))
        if path.is_file() and root in path.parents:
            return path.relative_to(root).as_posix()
    return None


def environment(root: pathlib.Path, lockfile: Optional[str]) -> dict[str, Any]:
    """The interpreter, the machine, the packages and the lockfile."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "os": f"{platform.system().lower()}-{_architecture()}",
        "hardware": _hardware(),
    }
    path = lockfile or next((name for name in LOCKFILES if (root / name).is_file()), None)
    if path is not None:
        found["lockfile"] = measured(root, path if lockfile else root / path, "lockfile")
    packages = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"] if distribution.metadata else None
        if name and distribution.version:
            packages[name] = distribution.version
    found["packages"] = dict(sorted(packages.items()))
    found["variables"] = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return found


def _architecture() -> str:
    machine = platform.machine().lower()
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)


def _hardware() -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("model name")), None)
        if line:
            found["cpu"] = line.split(":", 1)[1].strip()
    except OSError:
        pass
    affinity = getattr(os, "sched_getaffinity", None)
    found["cpus"] = len(affinity(0)) if affinity else os.cpu_count()
    try:
        found["memory_bytes"] = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        pass
    torch = sys.modules.get("torch")
    try:
        if torch is not None and torch.cuda.is_available():
            found["gpus"] = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    except Exception:
        # A driver that does not answer must not cost us the record.
        pass
    return found


def rank() -> int:
    """This process's number under torchrun, accelerate, DeepSpeed, MPI or Slurm's srun; 0 where training is one process."""
    for name in ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK"):
        text = os.environ.get(name, "")
        if text.isdigit():
            return int(text)
    if os.environ.get("SLURM_PROCID", "").isdigit() and os.environ.get("SLURM_NTASKS", "1") != "1":
        return int(os.environ["SLURM_PROCID"])
    return 0
