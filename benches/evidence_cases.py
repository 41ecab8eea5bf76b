"""Writes the predictions for the evidence benchmarks, the same every time. Usage: evidence_cases.py FOLDER ROWS"""
import hashlib
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def write(folder, name, columns, metrics):
    path = os.path.join(folder, f"{name}.parquet")
    pq.write_table(pa.table(columns), path, compression="zstd")
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    record = {"metrics": metrics, "validation": {"digest": "sha256:aa"},
              "predictions": {"path": f"{name}.parquet", "digest": f"sha256:{digest}"}}
    with open(os.path.join(folder, f"{name}.json"), "w") as file:
        json.dump(record, file)


def policy(folder, metric):
    with open(os.path.join(folder, "gate.yaml"), "w") as file:
        json.dump({"version": 1, "rules": {"no-worse": {"metrics": {metric: {"max_drop": 0.5, "confidence": "95%"}}}}}, file)


def many(folder, rows, random):
    """One run, with a slice of five values."""
    truth = (random.random(rows) < 0.2).astype(np.int8)
    decided = np.where(random.random(rows) < 0.9, truth, 1 - truth)
    region = pa.DictionaryArray.from_arrays(random.integers(0, 5, rows).astype(np.int8), ["AP", "EU", "LA", "ME", "US"])
    write(folder, "run", {"id": np.arange(rows), "label": truth, "prediction": decided.astype(np.int8), "region": region}, {})


def pairs(folder, rows, random, metric):
    """Two runs on the same cases, recorded with their metric."""
    from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

    truth = (random.random(rows) < 0.3).astype(np.int8)
    shared = random.normal(0, 1, rows)
    for name in ("baseline", "candidate"):
        score = 1 / (1 + np.exp(-(2 * truth - 1 + 0.8 * shared + 0.6 * random.normal(0, 1, rows))))
        decided = (score > 0.5).astype(np.int8)
        value = {"f1": lambda: f1_score(truth, decided), "roc_auc": lambda: roc_auc_score(truth, score),
                 "average_precision": lambda: average_precision_score(truth, score)}[metric]()
        columns = {"id": np.arange(rows), "label": truth, "prediction": decided}
        if metric != "f1":
            columns["score"] = score
        write(folder, name, columns, {metric: round(float(value), 9)})
    policy(folder, metric)


def main(folder, rows):
    random = np.random.default_rng(5)
    for name, size in (("few", int(rows) // 10), ("many", int(rows)), ("f1", 100_000), ("roc_auc", 1_000_000),
                       ("average_precision", 1_000)):
        place = os.path.join(folder, name)
        if os.path.exists(place):
            continue
        os.makedirs(place)
        if name in ("few", "many"):
            many(place, size, random)
        else:
            pairs(place, size, random, name)


if __name__ == "__main__":
    main(*sys.argv[1:])
