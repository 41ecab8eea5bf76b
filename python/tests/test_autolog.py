import json
import pathlib
import subprocess
import sys
import textwrap

import pytest


def run_script(tmp_path, script, code=0):
    """A script in a process of its own, since what autolog patches stays patched."""
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    return ran


def read(tmp_path):
    return json.loads((tmp_path / "runs/churn.json").read_text())


DATA = """
import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 4)); y = (x[:, 0] + rng.normal(size=200) > 0).astype(int)
x_train, x_test, y_train, y_test = x[:150], x[150:], y[:150], y[150:]
"""


def test_scikit_learn_is_recorded_by_itself(tmp_path):
    pytest.importorskip("sklearn")
    run_script(
        tmp_path,
        DATA
        + """
import mlgate
mlgate.autolog()
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
LogisticRegression(C=9.0).fit(x_train, y_train)
with mlgate.record("runs/churn.json") as run:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, random_state=7)).fit(x_train, y_train)
    print(model.score(x_train, y_train), model.score(x_test, y_test))
""",
    )
    found = read(tmp_path)
    assert found["params"]["estimator"] == "Pipeline"
    assert found["params"]["logisticregression__C"] == 0.5, "a model outside the run is not recorded"
    assert set(found["metrics"]) == {"train_accuracy", "accuracy"}


def test_the_score_of_a_classifier_is_its_accuracy(tmp_path):
    pytest.importorskip("sklearn")
    run_script(
        tmp_path,
        DATA
        + """
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Ridge
import mlgate
mlgate.autolog()
with mlgate.record("runs/churn.json") as run:
    model = RandomForestClassifier(n_estimators=5, random_state=3).fit(x_train, y_train)
    accuracy = model.score(x_test, y_test)
    assert run._metrics["accuracy"] == accuracy
""",
    )
    found = read(tmp_path)
    assert found["seed"] == 3 and found["params"]["n_estimators"] == 5
    assert set(found["metrics"]) == {"accuracy"}


def test_a_search_records_what_it_found(tmp_path):
    pytest.importorskip("sklearn")
    run_script(
        tmp_path,
        DATA
        + """
import mlgate
mlgate.autolog("runs/churn.json", model="churn")
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3).fit(x_train, y_train)
""",
    )
    found = read(tmp_path)
    assert found["model"] == "churn"
    assert found["params"]["best_C"] in (0.1, 1.0)
    assert "best_cv_score" in found["metrics"]


def test_a_script_that_fails_leaves_no_record(tmp_path):
    run_script(tmp_path, "import mlgate\nmlgate.autolog('runs/churn.json')\nraise SystemError('no')\n", code=1)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("first", ["import mlgate; mlgate.autolog()\nimport xgboost", "import xgboost\nimport mlgate; mlgate.autolog()"])
def test_xgboost_is_recorded_by_itself(tmp_path, first):
    pytest.importorskip("xgboost")
    run_script(
        tmp_path,
        first
        + DATA
        + """
train, valid = xgboost.DMatrix(x_train, y_train), xgboost.DMatrix(x_test, y_test)
with mlgate.record("runs/churn.json"):
    xgboost.train({"max_depth": 3, "objective": "binary:logistic", "seed": 5}, train, 4, evals=[(valid, "valid")], verbose_eval=False)
""",
    )
    found = read(tmp_path)
    assert found["params"]["max_depth"] == 3 and found["params"]["num_boost_round"] == 4 and found["seed"] == 5
    loss = found["metrics"]["valid_logloss"]
    assert loss["step"] == 3 and loss["best"]["min"] <= loss["value"] <= loss["best"]["max"]


def test_the_estimator_of_xgboost_is_recorded_once(tmp_path):
    pytest.importorskip("xgboost")
    pytest.importorskip("sklearn")
    ran = run_script(
        tmp_path,
        DATA
        + """
import mlgate
mlgate.autolog()
import xgboost
with mlgate.record("runs/churn.json"):
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, early_stopping_rounds=2)
    model.fit(x_train, y_train, eval_set=[(x_test, y_test)], verbose=False)
    model.score(x_test, y_test)
""",
    )
    found = read(tmp_path)
    assert found["params"]["n_estimators"] == 4 and found["params"]["estimator"] == "XGBClassifier"
    assert "validation_0_logloss" in found["metrics"] and "accuracy" in found["metrics"]
    assert "mlgate:" not in ran.stderr


def test_lightgbm_is_recorded_by_itself(tmp_path):
    pytest.importorskip("lightgbm")
    run_script(
        tmp_path,
        DATA
        + """
import mlgate
mlgate.autolog()
import lightgbm
train = lightgbm.Dataset(x_train, y_train); valid = lightgbm.Dataset(x_test, y_test, reference=train)
with mlgate.record("runs/churn.json"):
    lightgbm.train({"objective": "binary", "num_leaves": 4, "verbose": -1}, train, 5, valid_sets=[valid],
                   callbacks=[lightgbm.early_stopping(2, verbose=False)])
""",
    )
    found = read(tmp_path)
    assert found["params"]["num_leaves"] == 4 and found["params"]["num_boost_round"] == 5
    assert "valid_0_binary_logloss" in found["metrics"]


def test_the_estimator_of_lightgbm_is_recorded_once(tmp_path):
    pytest.importorskip("lightgbm")
    pytest.importorskip("sklearn")
    ran = run_script(
        tmp_path,
        DATA
        + """
import lightgbm
import mlgate
mlgate.autolog()
with mlgate.record("runs/churn.json"):
    lightgbm.LGBMClassifier(n_estimators=3, verbose=-1).fit(x_train, y_train, eval_set=[(x_test, y_test)])
""",
    )
    found = read(tmp_path)
    assert found["params"]["n_estimators"] == 3
    assert "valid_0_binary_logloss" in found["metrics"]
    assert "mlgate:" not in ran.stderr


@pytest.mark.parametrize("library", ["catboost", "keras", "lightning.pytorch", "transformers"])
def test_other_libraries_are_patched_where_they_are_installed(tmp_path, library):
    pytest.importorskip(library)
    ran = run_script(tmp_path, f"import mlgate\nmlgate.autolog()\nimport {library}\n")
    assert "mlgate:" not in ran.stderr


def test_a_loss_that_diverges_does_not_stop_training_but_leaves_no_record(tmp_path):
    ran = run_script(
        tmp_path,
        """
import mlgate
from mlgate._autolog._common import log_metric
try:
    with mlgate.record("runs/churn.json") as run:
        for step, loss in enumerate([1.0, float("inf"), float("nan")]):
            log_metric(run, "loss", loss, step)
        print("trained to the end")
except mlgate.NotRecorded as error:
    print(error)
""",
    )
    assert "trained to the end" in ran.stdout and "loss" in ran.stdout
    assert not (tmp_path / "runs").exists()
