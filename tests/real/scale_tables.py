"""Cases of two models from a seed, as Arrow tables, with what engines trip over: texts of every kind in ids, labels and
names, scores of exactly 0 and 1, numbers halfway between two millionths, slices without a value.
"""
import random

import pyarrow as pa
import pyarrow.compute as pc

POLICY = """\
version: 1
runs: runs/*.json
baseline: approved.json
cases: {cases}
rules:
  not-worse:
    metrics: {metrics}
"""
AWKWARD_IDS = ["π≈3", "a,b", 'say "yes"', "it's", "back\\slash", "two\nlines", " space ", "😀", "001", "1", "é", "e\u0301", "NULL", "(none)"]
AWKWARD_REGIONS = ["EU", "it's", 'a "b"', "back\\slash", "日本", "x=y", "", None]


def binary(rows, seed):
    """Names that need quotes, and scores at both ends."""
    shared, own = random.Random(1), random.Random(seed)
    table = {name: [] for name in ("the id", 'gu"ess`s', "p", "wahr?", "region", "tier")}
    for row in range(rows):
        label = shared.random() < 0.3
        score = min(1.0, max(0.0, own.gauss(0.7 if label else 0.3, 0.3)))
        table["the id"].append(AWKWARD_IDS[row] if row < len(AWKWARD_IDS) else f"kunde-№{row}")
        table["wahr?"].append("it's \\ so" if label else "nö")
        table['gu"ess`s'].append("it's \\ so" if score >= 0.5 else "nö")
        table["p"].append(score)
        table["region"].append(shared.choice(AWKWARD_REGIONS))
        table["tier"].append(shared.choice("ab"))
    return shuffled(table, own)


BINARY = POLICY.format(
    cases=r"""{ id: "the id", label: "wahr?", prediction: 'gu"ess`s', score: p, positive: "it's \\ so" }""",
    metrics="""{ f1: { max_drop: 0.02, confidence: 95% }, log_loss: { max_rise: 0.01, confidence: 95% }, roc_auc: { max_drop: 0.02, confidence: 95% } }
    slices: { by: [region] }
  crossed:
    metrics: { accuracy: { max_drop: 0.05, confidence: 95% } }
    slices: { by: [region, tier], cross: true }""",
)


def multiclass(rows, seed):
    """Whole numbers as ids, labels in other scripts, cases without a prediction, clusters."""
    shared, own = random.Random(2), random.Random(seed)
    labels = ["jazz", "Jazz", "фолк", "soul, blues", "😀"]
    table = {name: [] for name in ("track", "genre", "guess", "artist")}
    for row in range(rows):
        label = shared.choice(labels)
        table["track"].append(row - 3)
        table["genre"].append(label)
        table["guess"].append(None if row % 97 == 0 else label if own.random() < 0.8 else own.choice(labels))
        table["artist"].append(f"a{shared.randrange(rows // 5)}")
    return shuffled(table, own)


MULTICLASS = POLICY.format(
    cases="{ id: track, label: genre, prediction: guess, unscored: wrong }",
    metrics="{ f1_macro: { max_drop: 0.02, confidence: 95% }, accuracy: { max_drop: 0.02, confidence: 95% } }",
)
CLUSTERED = MULTICLASS.replace("unscored: wrong", "unscored: wrong, cluster: artist")


def regression(rows, seed):
    """Numbers of every size and sign that is allowed, and half millionths."""
    shared, own = random.Random(3), random.Random(seed)
    table = {name: [] for name in ("id", "rent", "estimate", "region")}
    edges = [0.0, -0.0, 5e-7, -5e-7, 1.5e-6, 1499999.999999, -1499999.0, 1e-300, 0.1, 123456.7890125]
    for row in range(rows):
        label = edges[row] if row < len(edges) else shared.lognormvariate(6, 1) * shared.choice((1, 1, -1))
        table["id"].append(f"{row:07d}")
        table["rent"].append(label)
        table["estimate"].append(label + own.choice((0.0, 5e-7, own.gauss(0, 50))) if row >= len(edges) else -label / 2)
        table["region"].append(shared.choice(AWKWARD_REGIONS))
    return shuffled(table, own)


REGRESSION = POLICY.format(
    cases="{ id: id, label: rent, prediction: estimate }",
    metrics="""{ rmse: { max_rise: 1, confidence: 95% }, mae: { max_rise: 1, confidence: 95% }, r2: { max_drop: 0.01, confidence: 95% } }
    slices: { by: region }""",
)


def shuffled(table, own):
    """The rows of the two models are in another order."""
    rows = list(range(len(next(iter(table.values())))))
    own.shuffle(rows)
    return pa.table(table).take(rows)


def many(rows, seed):
    """A large table, by Arrow alone: whole numbers as ids, a score with three decimals, two slices."""
    ids = pa.array(range(rows), pa.int64())
    label = pc.less(pc.random(rows, initializer=7), 0.2)
    noise = pc.random(rows, initializer=seed)
    score = pc.round(pc.add(pc.multiply(noise, 0.7), pc.if_else(label, 0.3, 0.0)), 3)
    regions = pa.array(["AF", "AS", "EU", "NA", "OC", "SA"])
    region = regions.take(pc.cast(pc.floor(pc.multiply(pc.random(rows, initializer=8), len(regions))), pa.int64()))
    return pa.table({
        "id": ids,
        "y_true": pc.cast(label, pa.int64()),
        "y_pred": pc.cast(pc.greater_equal(score, 0.5), pa.int64()),
        "score": score,
        "region": region,
    })


MANY = POLICY.format(
    cases="{ score: score }",
    metrics="""{ f1: { max_drop: 0.002, confidence: 95% }, log_loss: { max_rise: 0.01, confidence: 95% } }
    slices: { by: region }""",
)
