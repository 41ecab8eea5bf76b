"""What people use instead of `gate` for evidence. Prints how long it took, without starting Python and its libraries.

Usage: evidence_others.py NAME, in the folder of the data
"""
import sys
import time

SQL = """
SELECT region, 2 * count(*) FILTER (label = 1 AND prediction = 1)
             / (count(*) FILTER (label = 1) + count(*) FILTER (prediction = 1)) AS f1
FROM 'run.parquet' GROUP BY ROLLUP (region)
"""


def duckdb():
    import duckdb as db

    yield
    assert len(db.sql(SQL).fetchall()) == 6


def scikit_learn(columns=("label", "prediction", "region")):
    import pandas as pd
    from sklearn.metrics import f1_score

    yield
    table = pd.read_parquet("run.parquet", columns=list(columns))
    assert "id" not in table or table.id.is_unique
    f1_score(table.label, table.prediction)
    for _, part in table.groupby("region", observed=True):
        f1_score(part.label, part.prediction)


def scikit_learn_ids():
    """Also checks that no id occurs twice, as `gate` does."""
    return scikit_learn(("id", "label", "prediction", "region"))


def both_runs():
    """Paired by id."""
    import pandas as pd

    baseline, candidate = (pd.read_parquet(f"{name}.parquet") for name in ("baseline", "candidate"))
    both = baseline.merge(candidate, on=["id", "label"], validate="1:1")
    assert len(both) == len(baseline)
    return both


def f1_bootstrap():
    """Percentiles of 10,000 resamples: scipy's BCa would leave out each of the 100,000 cases from arrays of the rest."""
    import numpy as np
    import pandas  # noqa: F401
    from scipy import stats

    def f1(truth, decided):
        return 2 * (truth & decided).sum(-1) / (truth.sum(-1) + decided.sum(-1))

    def difference(truth, theirs, ours, axis=-1):
        return f1(truth, ours) - f1(truth, theirs)

    yield
    both = both_runs()
    columns = [both[name].to_numpy(bool) for name in ("label", "prediction_x", "prediction_y")]
    stats.bootstrap(columns, difference, paired=True, vectorized=True, n_resamples=10_000, batch=20, method="percentile",
                    confidence_level=0.9, rng=np.random.default_rng(0))


def precision_bootstrap():
    """BCa as people write it, with scikit-learn's metric."""
    import numpy as np
    import pandas  # noqa: F401
    from scipy import stats
    from sklearn.metrics import average_precision_score

    def difference(truth, theirs, ours):
        return average_precision_score(truth, ours) - average_precision_score(truth, theirs)

    yield
    both = both_runs()
    columns = [both[name].to_numpy() for name in ("label", "score_x", "score_y")]
    stats.bootstrap(columns, difference, paired=True, vectorized=False, n_resamples=10_000, method="BCa",
                    confidence_level=0.9, rng=np.random.default_rng(0))


def precision_bootstrap_arrays():
    """BCa by an expert: many resamples at once, scores sorted once, ties in the order of the file."""
    import numpy as np
    import pandas  # noqa: F401
    from scipy import stats

    yield
    both = both_runs()
    truth = both["label"].to_numpy(float)
    orders = [np.argsort(-both[name].to_numpy(), kind="stable") for name in ("score_x", "score_y")]
    n = len(truth)

    def precision(counts, order):
        counts = counts[:, order]
        hits = counts * truth[order]
        found, seen = hits.cumsum(1), counts.cumsum(1)
        return (hits * found / np.maximum(seen, 1)).sum(1) / found[:, -1]

    def difference(rows, axis=-1):
        flat = np.asarray(rows, np.int64).reshape(-1, rows.shape[-1])
        counts = np.bincount((flat + n * np.arange(len(flat))[:, None]).ravel(), minlength=n * len(flat)).reshape(-1, n)
        return (precision(counts, orders[1]) - precision(counts, orders[0])).reshape(rows.shape[:-1])

    stats.bootstrap((np.arange(n),), difference, vectorized=True, n_resamples=10_000, batch=500, method="BCa",
                    confidence_level=0.9, rng=np.random.default_rng(0))


def delong():
    """scikit-learn's two areas, and DeLong by midranks in numpy."""
    import numpy as np
    import pandas  # noqa: F401
    from scipy import stats
    from sklearn.metrics import roc_auc_score

    yield
    both = both_runs()
    truth = both["label"].to_numpy()
    scores = [both[name].to_numpy() for name in ("score_x", "score_y")]
    areas = [roc_auc_score(truth, score) for score in scores]
    m, n = int(truth.sum()), int((1 - truth).sum())
    sides = []
    for score in scores:
        x, y = score[truth == 1], score[truth == 0]
        ranks = stats.rankdata(np.concatenate([x, y]))
        sides.append(((ranks[:m] - stats.rankdata(x)) / n, 1 - (ranks[m:] - stats.rankdata(y)) / m))
    covariance = np.cov([side[0] for side in sides]) / m + np.cov([side[1] for side in sides]) / n
    reach = stats.norm.ppf(0.95) * np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert areas[1] - areas[0] - reach < areas[1] - areas[0]


if __name__ == "__main__":
    work = globals()[sys.argv[1]]()
    next(work)
    began = time.perf_counter()
    for _ in work:
        pass
    print(time.perf_counter() - began)
