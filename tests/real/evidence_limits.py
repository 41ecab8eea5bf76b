"""Pairs of runs from a seed, and the limits that `gate check` judges by, against scipy, statsmodels and formulas written
out here.

A report rounds limits outwards, so each is also asked for by a policy whose margin is just inside it, and one whose margin
is just outside: the answers must differ.

Usage: evidence_limits.py GATE FOLDER
"""
import hashlib
import json
import math
import os
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import stats
from scipy.optimize import brentq
from sklearn import metrics as sk
from statsmodels.stats.proportion import proportion_confint

CLOSED = 1e-9  # how far a margin is from a limit that a formula gives
# Two bootstraps of 10,000 resamples differ by their own noise: a limit's standard deviation is some 0.035 standard
# errors of the difference, that of two limits is 0.05, and this is five times that.
RESAMPLED = 0.25
LEVELS = (0.9, 0.95, 0.99)


# Limits of a difference, candidate minus baseline, each one-sided.


def tango(gained, lost, n, level):
    """Tango's score limits. The share of losses under the hypothesis is the one that makes the likelihood largest."""
    z, difference = stats.norm.ppf(level), (gained - lost) / n

    def score(at):
        least, most = max(0.0, -at), (1 - at) / 2  # of the share of losses; the share of gains is that plus `at`

        def slope(share):
            rest = n - gained - lost
            return gained / (share + at) + lost / share - 2 * rest / (1 - 2 * share - at)

        tiny = 1e-15
        share = brentq(slope, least + tiny, most - tiny, xtol=1e-16) if slope(least + tiny) > 0 else least
        return (gained - lost - n * at) / math.sqrt(n * (2 * share + at * (1 - at)))

    edge = 1 - 1e-9
    return (brentq(lambda at: score(at) - z, -edge, difference - 1e-12, xtol=1e-15),
            brentq(lambda at: score(at) + z, difference + 1e-12, edge, xtol=1e-15))


def right_and_wrong(baseline, candidate, level):
    gained, lost, n = int((candidate & ~baseline).sum()), int((baseline & ~candidate).sum()), len(baseline)
    low, high = tango(gained, lost, n, level)
    if gained == 0:
        # Only the losses decide, by their exact limits.
        least, most = proportion_confint(lost, n, alpha=2 * (1 - level), method="beta")
        low, high = min(low, -most), max(high, -least) if lost else high
    return low, high


def delong(truth, baseline, candidate, level):
    """From the definition: each positive case against each negative one."""
    def wins(scores):
        gap = scores[truth == 1][:, None] - scores[truth == 0][None, :]
        return (gap > 0) + 0.5 * (gap == 0)

    wins = wins(candidate) - wins(baseline)
    variance = sum(wins.mean(axis).var(ddof=1) / wins.shape[1 - axis] for axis in (0, 1))
    reach = stats.norm.ppf(level) * math.sqrt(variance)
    return wins.mean() - reach, wins.mean() + reach


def johnson(values, level):
    """Where Student's statistic, corrected for the skew, reaches its quantile."""
    n, skew = len(values), stats.skew(values)
    error, quantile = stats.sem(values), stats.t.ppf(level, n - 1)
    corrected = lambda t: t + skew * (1 + 2 * t * t) / (6 * math.sqrt(n))
    t_low, t_high = (brentq(lambda t: corrected(t) - target, -8, 8, xtol=1e-14) for target in (quantile, -quantile))
    return values.mean() - t_low * error, values.mean() - t_high * error


def root_of_mean(baseline, candidate, level):
    """Root mean squares move by their slope."""
    def moves(squares):
        root = math.sqrt(squares.mean())
        return squares / (2 * root) + root / 2

    return johnson(moves(candidate) - moves(baseline), level)


def student(baseline, candidate, level):
    interval = stats.ttest_rel(candidate, baseline).confidence_interval(2 * level - 1)
    return interval.low, interval.high


def welch(baseline, candidate, level):
    interval = stats.ttest_ind(candidate, baseline, equal_var=False).confidence_interval(2 * level - 1)
    return interval.low, interval.high


def folds(baseline, candidate, level):
    """Nadeau and Bengio, with one part in k tested."""
    values, k = candidate - baseline, len(baseline)
    reach = stats.t.ppf(level, k - 1) * math.sqrt(values.var(ddof=1) * (1 / k + 1 / (k - 1)))
    return values.mean() - reach, values.mean() + reach


def clusters(values, names, level):
    groups = pd.factorize(names)[0]
    count = groups.max() + 1
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    reach = stats.t.ppf(level, count - 1) * fit.bse[0] * math.sqrt(count / (count - 1))
    return values.mean() - reach, values.mean() + reach


def jackknife(metric, truth, baseline, candidate, level):
    """Really leaves out each case."""
    def value(rows):
        return metric(truth[rows], candidate[rows]) - metric(truth[rows], baseline[rows])

    n = len(truth)
    every = np.arange(n)
    without = np.array([value(every != row) for row in every])
    reach = stats.t.ppf(level, n - 1) * math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
    return value(every) - reach, value(every) + reach


def bootstrap(value, strata, level):
    """scipy's BCa; also the standard error. `value` takes rows, of many resamples at once."""
    def of_rows(*rows, axis=-1):
        shape = np.broadcast_shapes(*(part.shape[:-1] for part in rows))
        return value(np.concatenate([np.broadcast_to(part, (*shape, part.shape[-1])) for part in rows], axis=-1))

    found = stats.bootstrap(strata, of_rows, vectorized=True, confidence_level=2 * level - 1, n_resamples=10_000,
                            batch=1000, method="BCa", rng=np.random.default_rng(3))
    return (*found.confidence_interval, found.standard_error)


def average_precision(truth, score, rows):
    """For distinct scores, whose repeats in a resample are ties: the precision of the last of them counts for all."""
    order = np.take_along_axis(rows, np.argsort(-score[rows], axis=-1, kind="stable"), -1)
    hits, scores = truth[order], score[order]
    found = hits.cumsum(-1)
    precision = found / np.arange(1, order.shape[-1] + 1)
    last = np.concatenate([scores[..., 1:] != scores[..., :-1], np.ones((*scores.shape[:-1], 1), bool)], -1)
    gained = np.where(last, found, 0)
    before = np.concatenate([np.zeros((*scores.shape[:-1], 1)), np.maximum.accumulate(gained, -1)[..., :-1]], -1)
    return np.where(last, (found - before) * precision, 0).sum(-1) / found[..., -1]


def r2(truth, predicted, rows):
    t, p = truth[rows], predicted[rows]
    return 1 - ((t - p) ** 2).sum(-1) / ((t - t.mean(-1, keepdims=True)) ** 2).sum(-1)


# A run of the program.


class Project:
    """Two runs in a folder, what a policy says of their cases, and the limits that were expected of them."""

    def __init__(self, gate, folder, said=None):
        self.gate, self.folder, self.said, self.asked = gate, folder, said or {}, []
        os.makedirs(folder)

    def run(self, name, metrics, table=None, **more):
        record = {"metrics": metrics, "validation": {"digest": "sha256:aa", **more}}
        if table is not None:
            path = f"{name}.parquet" if len(table) % 2 else f"{name}.csv"
            (table.to_parquet if len(table) % 2 else table.to_csv)(os.path.join(self.folder, path), index=False)
            with open(os.path.join(self.folder, path), "rb") as file:
                record["predictions"] = {"path": path, "digest": f"sha256:{hashlib.sha256(file.read()).hexdigest()}"}
        with open(os.path.join(self.folder, f"{name}.json"), "w") as file:
            json.dump(record, file)

    def expect(self, metric, method, level, low, high, near=CLOSED, counts=None, part=None, alone=False):
        """`near` is how far from a limit the margins are. `alone`: the limits are of the candidate's value."""
        self.asked.append((metric, method, level, low, high, near, counts, part, alone))

    def check(self):
        """What is not as expected, as lines, and how many limits there were."""
        rules, margins = {}, []
        for place, (metric, _, level, low, high, near, _, part, alone) in enumerate(self.asked):
            bounds = {"pass": low - near, "lower": low + near, "upper": high - near, "fail": high + near}
            for side, bound in bounds.items():
                word = "min" if alone else "max_drop" if bound <= 0 else "min_rise"
                if word == "min" and not 0 < bound < 1:
                    continue
                amount = f"{abs(bound):.16f}"
                rule = {"metrics": {metric: {word: float(amount), "confidence": f"{level * 100:g}%"}}}
                if part:
                    rule["slices"] = {"by": part.split("=")[0], "only": [part]}
                rules[f"n{place}-{side}"] = rule
                margins.append((place, side))
        policy = {"version": 1, "rules": rules} | ({"cases": self.said} if self.said else {})
        with open(os.path.join(self.folder, "gate.yaml"), "w") as file:
            json.dump(policy, file)
        ran = subprocess.run([self.gate, "check", "candidate.json", "--baseline", "baseline.json", "--format", "json"],
                             cwd=self.folder, capture_output=True, text=True)
        try:
            answers = {rule["id"]: rule["comparisons"] for rule in json.loads(ran.stdout)["candidates"][0]["rules"]}
        except (ValueError, IndexError, KeyError):
            sys.exit(f"{self.folder}: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
        wrong = []
        for place, side in margins:
            metric, method, level, low, high, near, counts, part, _ = self.asked[place]
            answer = next(one for one in answers[f"n{place}-{side}"] if one.get("slice") == part)
            what = f"{self.folder}: {part or ''} {metric} at {level}, {side} limit"
            outcome = {"pass": "pass", "fail": "fail"}.get(side, "inconclusive")
            if answer["outcome"] != outcome or answer["method"] != method:
                wrong.append(f"{what}: {answer['outcome']} by {answer['method']} {answer.get('interval')}, not {outcome} by "
                             f"{method} [{low:.12g}, {high:.12g}]")
                continue
            shown = [float(end) for end in answer["interval"]]
            digit = 10.0 ** -len(answer["interval"][0].partition(".")[2])
            slack = near + 1e-12
            if not (-slack <= low - shown[0] < digit + slack and -slack <= shown[1] - high < digit + slack):
                wrong.append(f"{what}: shows {answer['interval']}, not [{low:.12g}, {high:.12g}] rounded outwards")
            if counts and tuple(answer.get(name) for name in ("n", "gained", "lost")) != counts:
                wrong.append(f"{what}: n, gained, lost {[answer.get(name) for name in ('n', 'gained', 'lost')]}, not {counts}")
        return wrong, len(margins)


def classifiers(random, rows, rate):
    """A truth, and the scores of two models that are partly alike."""
    truth = (random.random(rows) < rate).astype(int)
    shared = random.normal(0, 1, rows)
    score = lambda lift: 1 / (1 + np.exp(-(lift * truth - lift / 2 + 0.8 * shared + 0.6 * random.normal(0, 1, rows))))
    return truth, score(2.0), score(2.1)


def with_classes(gate, folder, random, rows, rate, parts):
    truth, baseline, candidate = classifiers(random, rows, rate)
    region = random.choice(["EU", "US"], rows)
    customer = random.integers(0, rows // 6, rows)
    project, clustered = Project(gate, folder), Project(gate, f"{folder}-clusters", {"cluster": "customer"})
    ours, theirs = (candidate > 0.5).astype(int), (baseline > 0.5).astype(int)
    loss = lambda score: -np.where(truth == 1, np.log(score), np.log1p(-score))
    for name, score, decided in (("baseline", baseline, theirs), ("candidate", candidate, ours)):
        metrics = {"accuracy": sk.accuracy_score(truth, decided), "recall": sk.recall_score(truth, decided),
                   "f1": sk.f1_score(truth, decided), "mcc": sk.matthews_corrcoef(truth, decided),
                   "roc_auc": sk.roc_auc_score(truth, score), "brier": sk.brier_score_loss(truth, score),
                   "log_loss": sk.log_loss(truth, score)}
        table = pd.DataFrame({"id": np.arange(rows), "label": truth, "prediction": decided, "score": score, "region": region})
        metrics = {name: round(float(value), 9) for name, value in metrics.items()}
        # The two files order their rows differently.
        project.run(name, metrics, table.sample(frac=1, random_state=len(name)))
        clustered.run(name, metrics, table.assign(customer=customer))
    right = lambda rows, decided: (decided == truth)[rows]
    gains = lambda rows: (int(rows.sum()), int((right(rows, ours) & ~right(rows, theirs)).sum()),
                          int((right(rows, theirs) & ~right(rows, ours)).sum()))
    every = np.ones(rows, bool)
    for level in LEVELS:
        for part, rows_of in [(None, every)] + [(f"region={one}", region == one) for one in ("EU", "US") if parts]:
            limits = right_and_wrong(right(rows_of, theirs), right(rows_of, ours), level)
            project.expect("accuracy", "Tango", level, *limits, counts=gains(rows_of), part=part)
        positive = truth == 1
        project.expect("recall", "Tango", level, *right_and_wrong(right(positive, theirs), right(positive, ours), level))
        project.expect("roc_auc", "DeLong", level, *delong(truth, baseline, candidate, level), counts=gains(every))
        for metric, each in (("brier", lambda score: (score - truth) ** 2), ("log_loss", loss)):
            project.expect(metric, "Johnson's t", level, *johnson(each(candidate) - each(baseline), level))
        hits = int((ours == truth).sum())
        alone = proportion_confint(hits, rows, alpha=2 * (1 - level), method="wilson")
        project.expect("accuracy", "Wilson", level, *alone, alone=True)
        for metric, each in (("accuracy", lambda decided: (decided == truth).astype(float)),):
            clustered.expect(metric, "CR1, t(G−1)", level, *clusters(each(ours) - each(theirs), customer, level))
        clustered.expect("brier", "CR1, t(G−1)", level, *clusters((candidate - truth) ** 2 - (baseline - truth) ** 2, customer, level))
    for metric, of in (("f1", sk.f1_score), ("mcc", sk.matthews_corrcoef)):
        project.expect(metric, "jackknife", 0.95, *jackknife(of, truth, theirs, ours, 0.95), counts=gains(every))
    return [project, clustered]


def with_numbers(gate, folder, random, rows):
    truth = random.lognormal(2, 0.6, rows)
    shared = random.normal(0, 0.2, rows)
    baseline, candidate = (truth * np.exp(shared + random.normal(0, 0.2, rows)) for _ in range(2))
    project = Project(gate, folder)
    for name, predicted in (("baseline", baseline), ("candidate", candidate)):
        metrics = {"mae": sk.mean_absolute_error(truth, predicted), "rmse": sk.root_mean_squared_error(truth, predicted)}
        metrics = {name: round(float(value), 9) for name, value in metrics.items()}
        project.run(name, metrics, pd.DataFrame({"id": np.arange(rows), "label": truth, "prediction": predicted}))
    absolute, squared = (lambda p: abs(p - truth)), (lambda p: (p - truth) ** 2)
    for level in LEVELS:
        if rows < 20:
            project.expect("mae", "Student's t", level, *student(absolute(baseline), absolute(candidate), level))
        else:
            project.expect("mae", "Johnson's t", level, *johnson(absolute(candidate) - absolute(baseline), level))
            project.expect("rmse", "Johnson's t", level, *root_of_mean(squared(baseline), squared(candidate), level))
    return project


def resampled(gate, folder, random, rows):
    """What no formula covers. Few rows, since all of these cases are drawn ten thousand times by both sides."""
    projects = [Project(gate, f"{folder}-{metric}") for metric in ("precision", "r2")]
    truth, *scores = classifiers(random, rows, 0.3)
    size = random.lognormal(2, 0.6, rows)
    sizes = [size * np.exp(random.normal(0, 0.2, rows)) for _ in range(2)]
    for name, score, predicted in zip(("baseline", "candidate"), scores, sizes):
        table = pd.DataFrame({"id": np.arange(rows), "label": truth, "prediction": (score > 0.5).astype(int), "score": score})
        projects[0].run(name, {"average_precision": round(float(sk.average_precision_score(truth, score)), 9)}, table)
        table = pd.DataFrame({"id": np.arange(rows), "label": size, "prediction": predicted})
        projects[1].run(name, {"r2": round(float(sk.r2_score(size, predicted)), 9)}, table)
    strata = [np.flatnonzero(truth == label) for label in (0, 1)]
    value = lambda drawn: average_precision(truth, scores[1], drawn) - average_precision(truth, scores[0], drawn)
    low, high, error = bootstrap(value, strata, 0.95)
    projects[0].expect("average_precision", "BCa bootstrap", 0.95, low, high, near=RESAMPLED * error)
    value = lambda drawn: r2(size, sizes[1], drawn) - r2(size, sizes[0], drawn)
    low, high, error = bootstrap(value, [np.arange(rows)], 0.95)
    projects[1].expect("r2", "BCa bootstrap", 0.95, low, high, near=RESAMPLED * error)
    return projects


def with_values(gate, folder, random, method):
    """Seeds that are the same, seeds that are others, and folds."""
    ours, theirs = random.normal(0.82, 0.01, 5).round(4), random.normal(0.815, 0.01, 5).round(4)
    limits = {"paired t": student, "Welch": welch, "corrected resampled t": folds}[method]
    project = Project(gate, folder)
    for name, values, first in (("baseline", theirs, 0), ("candidate", ours, 0 if method == "paired t" else 10)):
        metric = {"value": float(values.mean()), "values": values.tolist()}
        if method == "corrected resampled t":
            project.run(name, {"f1": metric}, folds=5)
        else:
            project.run(name, {"f1": metric | {"seeds": list(range(first, first + 5))}})
    for level in LEVELS:
        project.expect("f1", method, level, *limits(theirs, ours, level))
    return project


def only_lost(gate, folder, rows, lost):
    """Nothing gained: where Tango alone would pass too often."""
    truth = np.arange(rows) % 2
    project, candidate = Project(gate, folder), np.where(np.arange(rows) < lost, 1 - truth, truth)
    for name, decided in (("baseline", truth), ("candidate", candidate)):
        table = pd.DataFrame({"id": np.arange(rows), "label": truth, "prediction": decided})
        project.run(name, {"accuracy": round(float((decided == truth).mean()), 9)}, table)
    for level in LEVELS:
        project.expect("accuracy", "Tango", level, *right_and_wrong(truth == truth, candidate == truth, level))
    return project


def main(gate, folder):
    warnings.simplefilter("ignore")
    # As published: Fagerland, Lydersen and Laake 2014.
    assert np.allclose(tango(1, 7, 21, 0.975), (-0.517, -0.026), atol=5e-4)
    random = np.random.default_rng(11)
    place = lambda name: os.path.join(folder, name)
    projects = with_classes(gate, place("classes"), random, 300, 0.3, True)
    projects += with_classes(gate, place("rare"), random, 601, 0.06, False)
    projects += [with_numbers(gate, place(f"numbers-{rows}"), random, rows) for rows in (15, 301)]
    projects += resampled(gate, place("drawn"), random, 120)
    projects += [with_values(gate, place(f"values-{n}"), random, method)
                 for n, method in enumerate(("paired t", "Welch", "corrected resampled t"))]
    projects += [only_lost(gate, place(f"lost-{rows}-{lost}"), rows, lost) for rows, lost in ((60, 0), (133, 2), (900, 12))]
    wrong, limits = [], 0
    for project in projects:
        lines, count = project.check()
        wrong, limits = wrong + lines, limits + count
    # The comparison works: it notices a limit that is off by a ten-millionth.
    project = projects[0]
    project.asked = [(*project.asked[0][:3], *(limit + 1e-7 for limit in project.asked[0][3:5]), *project.asked[0][5:])]
    if not project.check()[0]:
        wrong.append("a limit that moved was not noticed")
    print("\n".join(wrong[:40]) or f"{limits} margins beside limits are judged as scipy, statsmodels and the formulas judge them")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
