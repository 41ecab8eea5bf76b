"""Trains a churn model, and writes the run record while it does.

The record is what `gate` reads: parameters, metrics, code version, dataset version, artifact, environment, time. It is
written here, inside training, so that no number has to be copied by hand afterwards.

    python train.py --name better --c 1.0
"""

import argparse
import csv
import hashlib
import json
import math
import os
import pathlib
import pickle
import platform
import subprocess
import sys
from datetime import datetime, timezone

import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FEATURES = ["tenure_months", "monthly_charge", "support_calls", "contract_months", "paperless"]
DATA_VERSION = "2026-05-30"


def sha256(path):
    return "sha256:" + hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


def read(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    features = np.array([[float(row[name]) for name in FEATURES] for row in rows])
    return rows, features, np.array([int(row["churned"]) for row in rows])


def git(*arguments):
    answer = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else None


def measure(truth, predicted, probability):
    bins = np.clip((probability * 10).astype(int), 0, 9)
    gaps = [abs(truth[bins == b].mean() - probability[bins == b].mean()) * (bins == b).mean() for b in set(bins)]
    return {
        "f1": f1_score(truth, predicted, zero_division=0.0),
        # Undefined when nothing is predicted: better said than hidden behind a zero.
        "precision": precision_score(truth, predicted, zero_division=math.nan),
        "recall": recall_score(truth, predicted),
        "roc_auc": roc_auc_score(truth, probability),
        "ece": sum(gaps),
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return round(float(value), 6) if isinstance(value, (float, np.floating)) else value


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True, help="of the run, and of the model file")
    parser.add_argument("--c", type=float, default=1.0, help="inverse strength of the regularisation")
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--validation", default="data/validation.csv")
    parser.add_argument("--record", help="where the run record goes; runs/NAME.json if not said")
    parser.add_argument("--source", default="train.py", help="the script or notebook that called this")
    parser.add_argument("--forget", action="append", default=[], metavar="FIELD",
                        help="leave a field out of the record, as a script does whose author forgot it")
    return parser.parse_args(arguments)


def main(arguments=None):
    option = options(arguments)
    started = datetime.now(timezone.utc)
    _, features, churned = read("data/train.csv")
    rows, unseen, truth = read(option.validation)

    params = {"model": "logistic-regression", "c": option.c, "threshold": option.threshold}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=option.c, random_state=option.seed))
    model.fit(features, churned)
    probability = model.predict_proba(unseen)[:, 1]
    predicted = (probability >= option.threshold).astype(int)

    artifact = f"models/{option.name}.pkl"
    with open(artifact, "wb") as file:
        pickle.dump(model, file)

    regions = np.array([row["region"] for row in rows])
    record = {
        "run_id": f"churn-{option.name}",
        "model": "churn",
        "status": "finished",
        "git_commit": git("rev-parse", "HEAD"),
        "git_dirty": bool(git("status", "--porcelain", "--untracked-files=no", "--", ".")),
        "command": " ".join(["python", *sys.argv]),
        "source": option.source,
        "data_version": DATA_VERSION,
        "data": [
            {"name": "train", "role": "train", "path": "data/train.csv", "digest": sha256("data/train.csv"),
             "rows": len(churned)},
            {"name": "validation", "role": "validation", "path": option.validation,
             "digest": sha256(option.validation), "rows": len(truth)},
        ],
        "validation": {
            "split": pathlib.Path(option.validation).stem,
            "digest": sha256(option.validation),
            "rows": len(truth),
            "strategy": "holdout",
        },
        "params": params,
        "seed": option.seed,
        "metrics": rounded(measure(truth, predicted, probability)),
        "slices": {
            f"region={region}": {
                "rows": int((regions == region).sum()),
                "metrics": rounded({
                    "recall": recall_score(truth[regions == region], predicted[regions == region]),
                }),
            }
            for region in sorted(set(regions))
        },
        "artifact": {"path": artifact, "digest": sha256(artifact), "bytes": os.path.getsize(artifact)},
        "environment": {
            "python": platform.python_version(),
            "os": f"{platform.system().lower()}-{platform.machine()}",
            "lockfile": {"path": "requirements.txt", "digest": sha256("requirements.txt")},
            "packages": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
        },
        "created_at": started.isoformat(timespec="seconds"),
    }
    if "GATE_RECORD_FILE" in os.environ:
        # Started by `gate record`, which writes the record: it is told what it can't see for itself.
        with open(os.environ["GATE_RECORD_FILE"], "a") as file:
            for group in ["params", "metrics"]:
                for name, value in record[group].items():
                    print(f"{group}.{name}={value}", file=file)
            print(f"seed={option.seed}", file=file)
            print(f"data_version={DATA_VERSION}", file=file)
            print(f"artifact={artifact}", file=file)
            print(f"slices={json.dumps(record['slices'])}", file=file)
        return
    for field in option.forget:
        del record[field]
    target = option.record or f"runs/{option.name}.json"
    with open(target, "w") as file:
        json.dump(record, file, indent=2)
        file.write("\n")
    print(f"{target}: f1 {record['metrics']['f1'] if 'metrics' in record else 'not recorded'}")


if __name__ == "__main__":
    main()
