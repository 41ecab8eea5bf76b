"""Trains the forests of this example, and writes a record and predictions of each.

    pip install -r ../churn/requirements.txt
    python train.py
"""

import gzip
import hashlib
import io
import json
import pathlib
import sys

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "churn"))
from make_data import customers  # noqa: E402

ROWS = list(customers(12_000, seed=20260530))
FEATURES = np.array([[float(value) for value in row[1:6]] for row in ROWS])
CHURNED = np.array([row[7] for row in ROWS])
TRAIN, VALIDATION = slice(0, 2_000), slice(2_000, None)


def predict(depth, seed):
    forest = RandomForestClassifier(n_estimators=60, max_depth=depth, random_state=seed)
    return forest.fit(FEATURES[TRAIN], CHURNED[TRAIN]).predict(FEATURES[VALIDATION])


def measure(predicted):
    truth = CHURNED[VALIDATION]
    return {
        "f1": round(f1_score(truth, predicted), 6),
        "recall": round(recall_score(truth, predicted), 6),
        "accuracy": round(accuracy_score(truth, predicted), 6),
    }


def write_predictions(name, predicted):
    """One row a case: what it is, what was true, what was predicted, and what it is part of."""
    lines = ["id,y_true,y_pred,region"]
    for row, truth, answer in zip(ROWS[VALIDATION], CHURNED[VALIDATION], predicted):
        lines.append(f"{row[0]},{truth},{answer},{row[6]}")
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write("\n".join(lines).encode() + b"\n")
    (HERE / f"predictions/{name}.csv.gz").write_bytes(packed.getvalue())
    return {
        "path": f"predictions/{name}.csv.gz",
        "digest": "sha256:" + hashlib.sha256(packed.getvalue()).hexdigest(),
    }


def record(depth, seed, metrics, **more):
    return {
        "run_id": f"forest-{depth}-seed-{seed}",
        "model": "churn",
        "status": "finished",
        "params": {"model": "random-forest", "max_depth": depth, "n_estimators": 60},
        "seed": seed,
        "validation": {"split": "holdout", "rows": len(CHURNED[VALIDATION])},
        "metrics": metrics,
        **more,
    }


def with_seeds(metrics, each):
    return {
        name: {"value": value, "values": [other[name] for other in each]} for name, value in metrics.items()
    }


def write(path, record):
    (HERE / path).write_text(json.dumps(record, indent=2) + "\n")


def main():
    shallow = [predict(6, seed) for seed in range(5)]
    deeper = [predict(7, seed) for seed in range(5)]
    seeds = {name: [measure(one) for one in all] for name, all in [("shallow", shallow), ("deeper", deeper)]}
    # Seed 1 of the shallow forest was approved.
    approved = with_seeds(seeds["shallow"][1], seeds["shallow"])
    write("approved/churn.json", record(6, 1, approved, predictions=write_predictions("shallow", shallow[1])))
    # The first seed of the deeper one, as a script records it that keeps nothing but the metrics.
    first = seeds["deeper"][0]
    write("runs/seed-0-alone.json", record(7, 0, first))
    # The same with its predictions.
    write("runs/deeper.json", record(7, 0, first, predictions=write_predictions("deeper", deeper[0])))
    # The same with four more seeds.
    write("runs/five-seeds.json", record(7, 0, with_seeds(first, seeds["deeper"])))
    for name, each in seeds.items():
        print(name, [one["f1"] for one in each], round(float(np.mean([one["f1"] for one in each])), 6))


if __name__ == "__main__":
    main()
