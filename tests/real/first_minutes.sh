#!/usr/bin/env bash
# The first five minutes, in three fresh repositories with real training: plain scikit-learn, MLflow on SQLite, DVC.
# In each: install, `gate init`, train, train worse; the check must fail for the right reason, within five minutes and on
# one page. GATE_PATH names a program; without it the wheel that WHEEL names is installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
export NO_COLOR=1 COLUMNS=100 DVC_NO_ANALYTICS=1 MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 GIT_PYTHON_REFRESH=quiet
for name in $(compgen -e); do case $name in GITHUB_* | GATE_SIGNING* | MLFLOW_TRACKING* | MLFLOW_REGISTRY*) unset "$name" ;; esac; done

fail() { echo "WRONG: $*"; exit 1; }
begin() { started=$SECONDS; }
# The check must be red (1) for `limit/drop` or `limit/min` on f1, on one page of 60 lines.
red() {
  local out code=0
  out=$("$@" 2>&1) || code=$?
  [ "$code" = 1 ] || { echo "$out"; fail "$* exited with $code, not 1"; }
  if ! grep -q 'limit/drop' <<< "$out" || ! grep -q 'f1. fell' <<< "$out"; then echo "$out"; fail "red for another reason"; fi
  [ "$(wc -l <<< "$out")" -le 60 ] || { echo "$out"; fail "more than a page"; }
  [ $((SECONDS - started)) -le 300 ] || fail "more than five minutes"
  echo "red for the right reason, after $((SECONDS - started)) s"
}
green() { local out; out=$("$@" 2>&1) || { echo "$out"; fail "$* is not green"; }; }

python3 -m venv "$work/python"
install() { "$work/python/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
export PATH=$work/python/bin:$PATH
if [ -n "${GATE_PATH:-}" ]; then
  ln -s "$(realpath "$GATE_PATH")" "$work/python/bin/gate"
  export PYTHONPATH=$here/python
else
  install "${WHEEL:?name a wheel, or a program with GATE_PATH}"
fi

data() {
  cat > data.py <<'PYTHON'
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
def split():
    x, y = make_classification(n_samples=2000, n_features=12, n_informative=6, random_state=0)
    return train_test_split(x, y, range(len(y)), test_size=0.5, random_state=0)
PYTHON
}

printf '\n-- plain scikit-learn\n'
install scikit-learn
begin
mkdir "$work/plain" && cd "$work/plain" && git init --quiet --initial-branch=main && data
printf 'scikit-learn\n' > requirements.txt
cat > train.py <<'PYTHON'
import os, pickle, sys
import mlgate
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from data import split
depth = int(sys.argv[1])
x, x_test, y, y_test, _, ids = split()
mlgate.autolog()
with mlgate.record("runs/churn.json", model="churn") as run:
    model = RandomForestClassifier(max_depth=depth, n_estimators=30, random_state=0).fit(x, y)
    predicted = model.predict(x_test)
    run.validation(split="holdout", ids=ids)
    run.metrics(f1=f1_score(y_test, predicted))
    os.makedirs("models", exist_ok=True)
    with open("models/churn.pkl", "wb") as file:
        pickle.dump(model, file)
    run.artifact("models/churn.pkl")
PYTHON
printf '__pycache__/\n' > .gitignore
git add --all && git commit --quiet --message "code"
python train.py 8
gate init --yes
green gate check
git add --all && git commit --quiet --message "the first model"
git switch --quiet --create worse
python train.py 1
red gate check

printf '\n-- MLflow on SQLite\n'
install mlflow-skinny sqlalchemy alembic
begin
mkdir "$work/mlflow" && cd "$work/mlflow" && git init --quiet --initial-branch=main && data
cat > train.py <<'PYTHON'
import sys
import mlflow
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from data import split
depth = int(sys.argv[1])
x, x_test, y, y_test, _, ids = split()
mlflow.set_tracking_uri("sqlite:///mlflow.db")
mlflow.set_experiment("churn")
with mlflow.start_run() as run:
    model = RandomForestClassifier(max_depth=depth, n_estimators=30, random_state=0).fit(x, y)
    mlflow.log_params({"max_depth": depth, "seed": 0})
    mlflow.log_metric("f1", f1_score(y_test, model.predict(x_test)))
    mlflow.set_tag("validation.split", "holdout")
    client = mlflow.MlflowClient()
    try:
        client.create_registered_model("churn")
    except mlflow.exceptions.MlflowException:
        pass
    version = client.create_model_version("churn", run.info.artifact_uri, run.info.run_id)
    if int(version.version) == 1:
        client.set_registered_model_alias("churn", "champion", version.version)
PYTHON
printf '__pycache__/\nmlflow.db\nmlruns/\n' > .gitignore
git add --all && git commit --quiet --message "code"
python train.py 8
gate init --yes
green gate check mlflow:models:/churn/1
python train.py 1
red gate check mlflow:models:/churn/2

printf '\n-- DVC\n'
install dvc
begin
mkdir "$work/dvc" && cd "$work/dvc" && git init --quiet --initial-branch=main && data && dvc init --quiet
cat > train.py <<'PYTHON'
import json, pickle, yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import f1_score
from data import split
depth = yaml.safe_load(open("params.yaml"))["max_depth"]
x, x_test, y, y_test, _, ids = split()
model = RandomForestClassifier(max_depth=depth, n_estimators=30, random_state=0).fit(x, y)
json.dump({"f1": f1_score(y_test, model.predict(x_test))}, open("metrics.json", "w"))
pickle.dump(model, open("model.pkl", "wb"))
PYTHON
printf 'max_depth: 8\n' > params.yaml
cat > dvc.yaml <<'YAML'
stages:
  train:
    cmd: python train.py
    deps: [train.py, data.py]
    params: [max_depth]
    outs: [model.pkl]
    metrics: [{ metrics.json: { cache: false } }]
YAML
printf '__pycache__/\n' >> .gitignore
dvc repro --quiet
git add --all && git commit --quiet --message "the first model"
gate init --yes
green gate check dvc:.
git add --all && git commit --quiet --message "gate"
git switch --quiet --create worse
printf 'max_depth: 1\n' > params.yaml
dvc repro --quiet
red gate check dvc:.

printf '\n-- the first five minutes hold\n'
