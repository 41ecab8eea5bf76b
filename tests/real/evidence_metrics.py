"""Tables of predictions from a seed, and every metric that `gate show --cases` computes from them against scikit-learn.

Usage: evidence_metrics.py GATE FOLDER
"""
import json
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize

TOLERANCE = 1e-12  # relative above 1, absolute below


def decisions(truth, predicted, weights, order):
    """Metrics of classes; `order` is that of the labels, for kappa's distances."""
    given = {"sample_weight": weights}
    kappa = {"labels": order, **given}
    found = {
        "accuracy": sk.accuracy_score(truth, predicted, **given),
        "exact_match": sk.accuracy_score(truth, predicted, **given),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted, **given),
        "mcc": sk.matthews_corrcoef(truth, predicted, **given),
        "cohen_kappa": sk.cohen_kappa_score(truth, predicted, **kappa),
        "cohen_kappa_quadratic": sk.cohen_kappa_score(truth, predicted, weights="quadratic", **kappa),
    }
    for average in ("macro", "micro", "weighted"):
        how = {"average": average, "zero_division": 0, **given}
        for end, over in (("", {}), ("_all_labels", {"labels": order})):
            if end and len(order) <= 2:
                continue
            found[f"precision_{average}{end}"] = sk.precision_score(truth, predicted, **over, **how)
            found[f"recall_{average}{end}"] = sk.recall_score(truth, predicted, **over, **how)
            found[f"f1_{average}{end}"] = sk.f1_score(truth, predicted, **over, **how)
            found[f"f2_{average}{end}"] = sk.fbeta_score(truth, predicted, beta=2, **over, **how)
    return found


def calibration(right, probability, weights, equal_mass):
    """Expected calibration error over 15 bins (low, high], the first with 0."""
    edges = np.quantile(probability, np.arange(16) / 15) if equal_mass else np.arange(16) / 15
    bins = np.searchsorted(edges[1:-1], probability)
    gaps = np.bincount(bins, weights * (right - probability), minlength=15)
    return abs(gaps).sum() / weights.sum()


def binary(table, positive, weights):
    truth, predicted = (np.asarray(table[name] == positive, int) for name in ("label", "prediction"))
    score, given = table["score"].to_numpy(), {"sample_weight": weights}
    each = np.ones(len(truth)) if weights is None else weights
    plain = {"zero_division": 0, **given}
    found = decisions(truth, predicted, weights, [0, 1])
    found |= {
        "precision": sk.precision_score(truth, predicted, **plain),
        "recall": sk.recall_score(truth, predicted, **plain),
        "f1": sk.f1_score(truth, predicted, **plain),
        "f2": sk.fbeta_score(truth, predicted, beta=2, **plain),
        "specificity": sk.recall_score(truth, predicted, pos_label=0, **plain),
        "roc_auc": sk.roc_auc_score(truth, score, **given),
        "average_precision": sk.average_precision_score(truth, score, **given),
        "log_loss": sk.log_loss(truth, score, labels=[0, 1], **given),
        "brier": sk.brier_score_loss(truth, score, **given),
        "ece_15": calibration(truth, score, each, False),
        "ece_15_equal_mass": calibration(truth, score, each, True),
    }
    for name, t, p in (("tp", 1, 1), ("fp", 0, 1), ("fn", 1, 0), ("tn", 0, 0)):
        found[name] = each[(truth == t) & (predicted == p)].sum()
    return found


def multiclass(table, labels, weights):
    truth, predicted = table["label"].to_numpy(str), table["prediction"].to_numpy(str)
    given = {"sample_weight": weights}
    each = np.ones(len(truth)) if weights is None else weights
    found = decisions(truth, predicted, weights, labels)
    seen = sorted(set(truth) | set(predicted))
    found["specificity_macro"] = np.mean(
        [sk.recall_score(truth == one, predicted == one, pos_label=False, **given) for one in seen]
    )
    alphabetical = sorted(labels)
    scores = table[[f"p_{one}" for one in alphabetical]].to_numpy()
    for average in ("macro", "weighted"):
        auc = {"labels": alphabetical, "average": average}
        found[f"roc_auc_ovr_{average}"] = sk.roc_auc_score(truth, scores, multi_class="ovr", **auc, **given)
        # scikit-learn accepts no weights here.
        found[f"roc_auc_ovo_{average}"] = (
            sk.roc_auc_score(truth, scores, multi_class="ovo", **auc) if weights is None else math.nan
        )
    each_class = label_binarize(truth, classes=alphabetical)
    found["average_precision_macro"] = sk.average_precision_score(each_class, scores, **given)
    found["log_loss"] = sk.log_loss(truth, scores, labels=alphabetical, **given)
    found["brier_multiclass"] = sk.brier_score_loss(truth, scores, labels=alphabetical, **given)
    for k in (2, 3):
        found[f"top_{k}_accuracy"] = sk.top_k_accuracy_score(truth, scores, k=k, labels=alphabetical, **given)
    declared = table[[f"p_{one}" for one in labels]].to_numpy()
    right = np.array(labels)[declared.argmax(1)] == truth
    for end, equal_mass in (("", False), ("_equal_mass", True)):
        found[f"ece_15_top_label{end}"] = calibration(right, declared.max(1), each, equal_mass)
    return found


def regression(table, weights):
    truth, predicted = table["label"].to_numpy(), table["prediction"].to_numpy()
    given = {"sample_weight": weights}
    found = {
        "rmse": sk.root_mean_squared_error(truth, predicted, **given),
        "mse": sk.mean_squared_error(truth, predicted, **given),
        "mae": sk.mean_absolute_error(truth, predicted, **given),
        "mape": sk.mean_absolute_percentage_error(truth, predicted, **given),
        "median_ae": sk.median_absolute_error(truth, predicted, **given),
        "r2": sk.r2_score(truth, predicted, **given),
        "bias": np.average(predicted - truth, weights=weights),
    }
    for share in (0.1, 0.5, 0.9):
        found[f"pinball_{share}"] = sk.mean_pinball_loss(truth, predicted, alpha=share, **given)
    if weights is None:
        found |= {"max_error": sk.max_error(truth, predicted), "spearman": spearmanr(truth, predicted).statistic}
    return found


LABELS = ["low", "mid", "high", "top"]


def tables():
    """Name, table, what `cases:` of the policy says, and the oracle of some of its rows."""
    random = np.random.default_rng(20_240_611)
    for rows, rate, spread, digits in ((60, 0.5, 0.3, 6), (700, 0.2, 0.2, 2), (2500, 0.03, 0.25, 16)):
        truth = random.random(rows) < rate
        score = np.clip(random.normal(0.35 + 0.3 * truth, spread), 0, 1).round(digits)
        table = pd.DataFrame({"id": [f"{n:04}" for n in range(rows)], "label": truth.astype(int),
                              "prediction": (score > 0.5).astype(int), "score": score})
        yield f"binary-{rows}", table, {}, lambda part, weights: binary(part, 1, weights)
        words = table.replace({"label": {0: "stays", 1: "churns"}, "prediction": {0: "stays", 1: "churns"}})
        yield f"words-{rows}", words, {"positive": "churns"}, lambda part, weights: binary(part, "churns", weights)
    for rows in (90, 1200):
        truth = random.choice(4, rows, p=[0.4, 0.3, 0.2, 0.1])
        scores = random.dirichlet(np.ones(4), rows) + 0.6 * np.eye(4)[truth]
        scores /= scores.sum(1, keepdims=True)
        table = pd.DataFrame({"id": np.arange(rows), "label": np.array(LABELS)[truth],
                              "prediction": np.array(LABELS)[scores.argmax(1)]})
        for place, label in enumerate(LABELS):
            table[f"p_{label}"] = scores[:, place]
        said = {"labels": LABELS, "score": {label: f"p_{label}" for label in LABELS}}
        yield f"classes-{rows}", table, said, lambda part, weights: multiclass(part, LABELS, weights)
    for rows in (41, 1500):
        truth = random.lognormal(3, 0.7, rows)
        table = pd.DataFrame({"id": np.arange(rows), "label": truth, "prediction": truth * random.lognormal(0, 0.3, rows)})
        yield f"numbers-{rows}", table, {}, regression


def write(table, path):
    if path.endswith(".parquet"):
        table.to_parquet(path, index=False)
    elif path.endswith(".jsonl"):
        # pandas rounds to 15 digits here.
        with open(path, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in table.to_dict("records"))
    else:
        table.to_csv(path, index=False, sep="\t" if ".tsv" in path else ",")


def difference(found, expected):
    """What is not the same, as lines."""
    wrong = [f"only one has {name}" for name in sorted(found.keys() ^ expected.keys())]
    for name in found.keys() & expected.keys():
        ours, theirs = found[name], expected[name]
        if ours is None or math.isnan(theirs):
            same = ours is None and math.isnan(theirs)
        else:
            same = abs(ours - theirs) <= TOLERANCE * max(1.0, abs(theirs))
        if not same:
            wrong.append(f"{name} is {ours!r}, and scikit-learn says {theirs!r}")
    return wrong


def expected(table, oracle, weights):
    """Rows and values of all cases, under no name, and of each slice."""
    parts = {"": table} | {f"region={value}": part for value, part in table.groupby("region")}
    values = lambda part: oracle(part, part["w"].to_numpy(float) if weights else None)
    return {name: (len(part), values(part)) for name, part in parts.items()}


def compare(shown, expected):
    answers = {"": shown} | shown["slices"]
    wrong = [f"only one has the slice {name}" for name in sorted(answers.keys() ^ expected.keys())]
    for name in answers.keys() & expected.keys():
        rows, values = expected[name]
        if answers[name]["rows"] != rows:
            wrong.append(f"{name}: {answers[name]['rows']} rows, not {rows}")
        wrong += [f"{name}: {line}" for line in difference(answers[name]["metrics"], values)]
    return wrong


def show(gate, place, table, end, said):
    """Writes a run with its predictions, and returns what `gate show` says of them."""
    os.makedirs(place)
    write(table, os.path.join(place, f"cases.{end}"))
    policy = {"version": 1, "rules": {"any": {"require": ["predictions"]}}} | ({"cases": said} if said else {})
    for name, content in (("run.json", {"predictions": {"path": f"cases.{end}"}}), ("gate.yaml", policy)):
        with open(os.path.join(place, name), "w") as file:
            json.dump(content, file)
    ran = subprocess.run([gate, "show", "--cases", "run.json", "--format", "json"], cwd=place, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{place}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return json.loads(ran.stdout)


def main(gate, folder):
    warnings.simplefilter("ignore")
    random = np.random.default_rng(7)
    wrong, values = [], 0
    for name, table, said, oracle in tables():
        table["region"] = random.choice(["EU", "US", "AP"], len(table), p=[0.5, 0.3, 0.2])
        table["w"] = random.integers(1, 400, len(table)) / 100
        for weights in (False, True):
            right = expected(table, oracle, weights)
            kept = table if weights else table.drop(columns="w")
            for end in ("csv", "tsv.gz", "jsonl", "parquet"):
                place = os.path.join(folder, f"{name}-{'weighted' if weights else 'plain'}-{end}")
                shown = show(gate, place, kept, end, {**said, "weight": "w"} if weights else said)
                wrong += [f"{place}: {line}" for line in compare(shown, right)]
                values += sum(len(one) for _, one in right.values())
    # The comparison bites: one prediction that moves by a millionth of a thousandth is seen.
    table.loc[0, "prediction"] *= 1 + 1e-9
    if not compare(shown, expected(table, oracle, True)):
        wrong.append("a prediction that moved was not noticed")
    print("\n".join(wrong[:40]) or f"{values} values are scikit-learn's")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
