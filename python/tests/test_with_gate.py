"""What needs the program: both recorders satisfy the same schema, and a verdict is the program's own."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

import mlgate

try:
    PROGRAM = mlgate.program()
except mlgate.ProgramNotFound:
    PROGRAM = None
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="the program is not installed")

SCRIPT = """
import mlgate, pathlib
with mlgate.record("runs/{name}.json", model="churn", data_version="v1", seed=3) as run:
    run.params(lr=0.5, kind="linear", text="0.10", nested={{"a.b": [1, 2], "c": True}})
    run.data("train.csv", role="train")
    run.validation("valid.csv", split="holdout", strategy="holdout")
    run.metrics(f1={f1}, history=0.25)
    run.slice("region=EU", rows=2, f1=0.5)
    pathlib.Path("{name}.pkl").write_text("weights of {name}")
    run.artifact("{name}.pkl")
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GIT_", "GATE_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(pathlib.Path(mlgate.__file__).parent.parent))
    (tmp_path / "train.csv").write_text("id,x\n1,2\n")
    (tmp_path / "valid.csv").write_text("id,x\n3,4\n")
    (tmp_path / "requirements.txt").write_text("numpy==2.0\n")
    (tmp_path / "gate.yaml").write_text(
        "version: 1\nruns: runs/*.json\nbaseline: runs/old.json\nextends:\n  - pack: gate:checklist\n"
        "rules:\n  holds-up: { metrics: { f1: { min: 0.8, max_drop: 0.01 } } }\n  file: { artifact: { digest: true } }\n"
    )
    for name, f1 in (("old", 0.9), ("better", 0.91), ("worse", 0.85)):
        (tmp_path / f"{name}.py").write_text(SCRIPT.format(name=name, f1=f1))
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run(["git", "add", "--all"], check=True)
    subprocess.run(["git", *identity, "commit", "--quiet", "--message", "begin"], check=True)
    for name in ("old", "better", "worse"):
        subprocess.run([sys.executable, f"{name}.py"], check=True)
    return tmp_path


def canonical(path):
    shown = subprocess.run([PROGRAM, "show", "--format", "json", path], capture_output=True, text=True, check=True)
    return json.loads(shown.stdout)


def test_a_verdict_is_the_one_of_the_program(project):
    good, bad = mlgate.check("runs/better.json"), mlgate.check("runs/worse.json")
    assert good.verdict == "pass" and good.passed and good.exit_code == 0 and good, good.text
    assert bad.verdict == "fail" and not bad and bad.exit_code == 1
    assert any(one.rule == "holds-up" and one.code == "limit/drop" for one in bad.findings)
    assert "holds-up" in str(bad)
    good.require()
    with pytest.raises(mlgate.CheckFailed, match="holds-up"):
        bad.require()


def test_no_verdict_is_neither_pass_nor_fail(project):
    none = mlgate.check("runs/not-here.json")
    assert none.verdict is None and none.exit_code == 2 and not none
    with pytest.raises(mlgate.NoVerdict):
        none.require()


def test_a_path_that_looks_like_an_option_is_a_path(project):
    assert mlgate.check("--first").verdict is None


def test_both_recorders_write_the_same_record(project):
    """`mlgate.record` alone, and the same script inside `gate record`, say the same of a run."""
    alone = canonical("runs/old.json")
    options = ["--output", "runs/outside.json", "--validation", "valid.csv", "--split", "holdout"]
    subprocess.run([PROGRAM, "record", *options, "--", sys.executable, "old.py"], check=True)
    inside = canonical("runs/outside.json")
    for found in (alone, inside):
        for field in ("run_id", "created_at", "ended_at", "recorder", "command", "origin"):
            found.pop(field, None)
    alone["environment"].pop("hardware"), inside["environment"].pop("hardware")
    assert set(alone) == set(inside)
    for field in sorted(alone):
        if field == "environment":
            # Packages: the interpreter that runs the tests may also see the checkout that they are in.
            assert set(alone[field]) == set(inside[field])
            continue
        assert alone[field] == inside[field], field


def test_a_record_satisfies_the_schema(project):
    jsonschema = pytest.importorskip("jsonschema")
    folder = os.environ.get("MLGATE_SCHEMAS") or pathlib.Path(__file__).resolve().parents[2] / "docs" / "schemas"
    schema = json.loads((pathlib.Path(folder) / "run.v1.json").read_text())
    for path in project.glob("runs/*.json"):
        jsonschema.validate(json.loads(path.read_text()), schema)


def test_the_statements_are_those_of_the_program(project):
    from mlgate.cases._statements import statements

    metrics = "{ f1: { max_drop: 0.1, confidence: 95% }, rmse: { max_rise: 1, confidence: 95% } }"
    (project / "wrong.yaml").write_text(f"version: 1\nrules: {{ mixed: {{ metrics: {metrics} }} }}\n")
    found = statements("spark", "gate_candidate_1", "gate_baseline_1", None, None)
    assert found.columns[:8] == ["kind", "name", "slice", "bucket", "truth", "baseline", "candidate", "n"]
    assert list(found.sql) == ["guards", "cells"]
    assert all("FROM gate_candidate_1" in sql for sql in found.sql.values())
    with pytest.raises(mlgate.GateError, match="rmse"):
        statements("duckdb", "a", None, "wrong.yaml", None)
