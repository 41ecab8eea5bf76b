"""Writes run records, a baseline and a policy of ten rules for the benchmarks, the same every time.

    python3 make_records.py FOLDER NUMBER
"""

import json
import pathlib
import random
import sys

POLICY = """version: 1
runs: runs/*.json
baseline: baseline.json
rules:
  recorded: { require: [params, metrics, git_commit, data_version, artifact, created_at] }
  commit: { require: { git_commit: { matches: "[0-9a-f]{7,40}" } } }
  enough-rows: { require: { validation.rows: { min: 1000 } } }
  known-optimizer: { require: { params.optimizer: { one_of: [adam, sgd, adamw] } } }
  no-debug: { forbid: [params.debug] }
  same-split: { same: [validation.split, validation.digest] }
  f1: { metrics: { f1: { min: 0.5, max_drop: 0.5 } } }
  others: { metrics: { precision: { min: 0.1, max: 1 }, recall: { min: 0.1, max: 1 } } }
  latency: { metrics: { latency_p95_ms: { max: 1000, max_rise: 60% } } }
  repeatable: { reproducible: [commit, command, seed, lockfile, data] }
"""


def record(number, rng):
    return {
        "run_id": f"run-{number}",
        "model": "churn",
        "status": "finished",
        "git_commit": f"{rng.getrandbits(160):040x}",
        "git_dirty": False,
        "command": "python train.py --depth 8",
        "source": "train.py",
        "data_version": "2026-05-30",
        "data": [
            {"name": role, "role": role, "path": f"data/{role}.csv", "digest": f"sha256:{rng.getrandbits(256):064x}",
             "rows": 80000}
            for role in ("train", "validation")
        ],
        "validation": {"split": "holdout", "digest": "sha256:" + "a1" * 32, "rows": 20000, "strategy": "holdout"},
        "params": {"optimizer": rng.choice(["adam", "sgd", "adamw"]), "lr": round(rng.uniform(1e-4, 1e-2), 6),
                   "max_depth": rng.randrange(2, 12), "layers": [64, 32]},
        "seed": rng.randrange(100),
        "metrics": {name: round(rng.uniform(0.7, 0.95), 6) for name in
                    ("f1", "precision", "recall", "roc_auc", "pr_auc", "accuracy", "log_loss", "ece")}
        | {"latency_p95_ms": round(rng.uniform(80, 120), 3)},
        "artifact": {"path": f"models/{number}.pkl", "digest": f"sha256:{rng.getrandbits(256):064x}", "bytes": 123456},
        "environment": {"python": "3.11.7", "os": "linux-x86_64",
                        "lockfile": {"path": "uv.lock", "digest": "sha256:" + "c3" * 32}},
        "created_at": "2026-05-30T12:00:00Z",
    }


def main(folder, number):
    folder = pathlib.Path(folder)
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    (folder / "gate.yaml").write_text(POLICY)
    (folder / "baseline.json").write_text(json.dumps(record(0, rng), indent=2))
    for index in range(1, number + 1):
        (folder / f"runs/{index:05}.json").write_text(json.dumps(record(index, rng), indent=2))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
