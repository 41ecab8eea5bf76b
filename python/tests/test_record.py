import json
import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

import mlgate


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GIT_", "GATE_")) or name in ("RANK", "SLURM_PROCID")]:
        monkeypatch.delenv(name)
    who = {"NAME": "Ada", "EMAIL": "ada@example.org"}
    for role in ("AUTHOR", "COMMITTER"):
        for part, value in who.items():
            monkeypatch.setenv(f"GIT_{role}_{part}", value)
    git("init", "--quiet", "--initial-branch=main")
    pathlib.Path("train.csv").write_text("id,x\n1,2\n2,3\n")
    pathlib.Path("requirements.txt").write_text("numpy==2.0\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "begin")
    return tmp_path


def git(*arguments):
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def read(path="runs/churn.json"):
    return json.loads(pathlib.Path(path).read_text())


def save(path="models/churn.pkl", text="weights"):
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(text)


def test_the_record_says_what_training_did(repository):
    with mlgate.record("runs/churn.json", model="churn", data_version="2026-05-30") as run:
        run.params(max_depth=8, optimizer={"lr": 0.1})
        run.data("train.csv", role="train")
        run.validation(split="holdout", ids=[3, 1, 2])
        run.metrics(f1=0.5, recall=0.25)
        run.predictions([1, 2, 3], [0, 1, 1], [0, 1, 0], score=[0.1, 0.9, 0.4])
        save()
        run.artifact("models/churn.pkl")
    found = read()
    assert found["model"] == "churn" and found["status"] == "finished"
    assert found["git_commit"] == git("rev-parse", "HEAD") and found["git_branch"] == "main"
    assert found["git_dirty"] is False, "files that the run writes itself do not make the tree dirty"
    assert found["params"] == {"max_depth": 8, "optimizer": {"lr": 0.1}}
    assert found["data"][0]["rows"] == 2 and found["data"][0]["digest"].startswith("sha256:")
    assert found["validation"]["rows"] == 3
    assert found["metrics"] == {"f1": 0.5, "recall": 0.25}
    assert found["artifact"]["bytes"] == 7
    assert found["environment"]["lockfile"]["path"] == "requirements.txt"
    assert found["created_at"].endswith("Z") and found["ended_at"] >= found["created_at"]
    table = (repository / found["predictions"]["path"]).read_text().splitlines()
    assert table[0] == "id,y_true,y_pred,score" and table[1] == "1,0,0,0.1"


def test_the_same_examples_in_another_order_are_the_same_split():
    digests = set()
    for ids in ([1, 2, 3], [3, 1, 2], ["2", "3", "1"], [1.0, 2.0, 3.0]):
        with mlgate.record("runs/churn.json") as run:
            run.validation(split="holdout", ids=ids)
        digests.add(read()["validation"]["digest"])
    assert len(digests) == 1
    with mlgate.record("runs/churn.json") as run:
        run.validation(split="holdout", ids=[1, 2, 4])
    assert read()["validation"]["digest"] not in digests


def test_a_run_that_raises_leaves_the_earlier_record(capsys):
    with mlgate.record("runs/churn.json") as run:
        run.metrics(f1=0.5)
    before = pathlib.Path("runs/churn.json").read_bytes()
    with pytest.raises(ZeroDivisionError):
        with mlgate.record("runs/churn.json") as run:
            run.metrics(f1=1 / 0)
    assert pathlib.Path("runs/churn.json").read_bytes() == before
    assert "no record was written" in capsys.readouterr().err
    assert os.listdir("runs") == ["churn.json"]


def test_a_failed_run_can_be_kept_with_its_status():
    with pytest.raises(ValueError):
        with mlgate.record("runs/churn.json", keep_failed=True) as run:
            run.artifact("models/never-saved.pkl")
            raise ValueError
    assert read()["status"] == "failed"
    assert "artifact" not in read()


def test_a_killed_run_leaves_nothing(repository):
    script = textwrap.dedent(
        """
        import os, signal, mlgate
        with mlgate.record("runs/churn.json") as run:
            run.metrics(f1=0.5)
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subprocess.run([sys.executable, "-c", script], check=False)
    assert not (repository / "runs/churn.json").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_metric_that_is_not_finite_is_refused(value):
    with pytest.raises(mlgate.NotRecorded, match="not a finite number"):
        with mlgate.record("runs/churn.json") as run:
            run.metrics(f1=value)
    with mlgate.record("runs/churn.json", allow_nan=True) as run:
        run.metrics(f1=value)
    assert str(read()["metrics"]["f1"]) == str(value)


@pytest.mark.parametrize("value", [True, "0.8", None, [[1]], {"f1": 0.8}])
def test_what_is_not_a_number_is_no_metric(value):
    with pytest.raises(mlgate.NotRecorded):
        with mlgate.record("runs/churn.json") as run:
            run.metrics(f1=value)


def test_scalars_of_other_libraries_are_numbers():
    numpy = pytest.importorskip("numpy")
    pandas = pytest.importorskip("pandas")
    with mlgate.record("runs/churn.json") as run:
        run.params(n=numpy.int64(3), on=numpy.bool_(True), when=pandas.Timestamp("2026-05-30"), at=numpy.arange(2))
        run.metrics(f1=numpy.float32(0.5), zero_d=numpy.array(0.25), mean=pandas.Series([0.5, 1.0]).mean())
        run.validation(split="holdout", ids=pandas.Series([5, 6]))
        run.predictions(pandas.Index([5, 6]), numpy.array([0, 1]), pandas.Series([1, 1]))
    assert read()["params"] == {"n": 3, "on": True, "when": "2026-05-30T00:00:00", "at": [0, 1]}
    assert read()["metrics"] == {"f1": 0.5, "zero_d": 0.25, "mean": 0.75}
    assert read()["validation"]["rows"] == 2


def test_a_tensor_is_a_number():
    torch = pytest.importorskip("torch")
    with mlgate.record("runs/churn.json") as run:
        run.metrics(loss=torch.tensor(0.5, requires_grad=True))
    assert read()["metrics"]["loss"] == 0.5


def test_a_history_keeps_its_last_value_and_its_range():
    with mlgate.record("runs/churn.json") as run:
        for step, loss in enumerate([0.5, 0.25, 0.375]):
            run.metrics(loss=loss, step=step)
        run.metrics(f1=[0.5, 0.75])
    assert read()["metrics"]["loss"] == {"value": 0.375, "step": 2, "best": {"min": 0.25, "max": 0.5}}
    assert read()["metrics"]["f1"] == {"value": 0.625, "values": [0.5, 0.75]}


def test_an_artifact_that_is_not_there_stops_the_record():
    with pytest.raises(mlgate.NotRecorded, match="models/churn.pkl can't be read"):
        with mlgate.record("runs/churn.json") as run:
            run.artifact("models/churn.pkl")
    save(text="")
    with pytest.raises(mlgate.NotRecorded, match="is empty"):
        with mlgate.record("runs/churn.json") as run:
            run.artifact("models/churn.pkl")
    assert not os.path.exists("runs/churn.json")


def test_a_file_outside_the_workspace_is_refused(repository):
    with mlgate.record("runs/churn.json") as run:
        with pytest.raises(mlgate.NotRecorded, match="outside the workspace"):
            run.artifact(repository.parent / "elsewhere.pkl")
    with pytest.raises(mlgate.NotRecorded, match="outside the workspace"):
        mlgate.record("../churn.json")


def test_data_that_changes_while_it_is_used_stops_the_record():
    with pytest.raises(mlgate.NotRecorded, match="changed while the run was recorded"):
        with mlgate.record("runs/churn.json") as run:
            run.data("train.csv", role="train")
            pathlib.Path("train.csv").write_text("id,x\n1,9\n")


def test_code_without_a_commit_is_dirty():
    pathlib.Path("train.py").write_text("print()\n")
    with mlgate.record("runs/churn.json"):
        pass
    assert read()["git_dirty"] is True
    git("add", "train.py")
    git("commit", "--quiet", "--message", "code")
    with mlgate.record("runs/churn.json"):
        pass
    assert read()["git_dirty"] is False


def test_only_rank_0_writes(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with mlgate.record("runs/churn.json") as run:
        run.data("not-here.csv", role="train")
        run.metrics(f1=0.5)
        run.artifact("models/not-here.pkl")
    assert not os.path.exists("runs")


def test_paths_are_relative_to_the_folder_of_the_policy(repository, monkeypatch):
    (repository / "gate.yaml").write_text("version: 1\n")
    (repository / "src").mkdir()
    monkeypatch.chdir(repository / "src")
    with mlgate.record("../runs/churn.json") as run:
        run.data("../train.csv", role="train")
    assert read(repository / "runs/churn.json")["data"][0]["path"] == "train.csv"
    assert read(repository / "runs/churn.json")["folder"] == "src"


def test_no_secret_is_recorded(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["/usr/bin/python", "train.py", "--hf-token", "hush-1", "--api-key=hush-2", "--max-tokens", "5"], raising=False)
    with mlgate.record("runs/churn.json") as run:
        run.params(api_key="hush-3", tokenizer="bpe")
    text = pathlib.Path("runs/churn.json").read_text()
    assert all(secret not in text for secret in ("hush-1", "hush-2", "hush-3"))
    assert read()["command"] == ["python", "train.py", "--hf-token", "***", "--api-key=***", "--max-tokens", "5"]
    assert read()["params"]["tokenizer"] == "bpe"


def test_predictions_need_ids_and_equal_lengths():
    with mlgate.record("runs/churn.json") as run:
        with pytest.raises(mlgate.NotRecorded, match="needs ids"):
            run.predictions(None, [1], [1])
        with pytest.raises(mlgate.NotRecorded, match="differ in length"):
            run.predictions([1, 2], [1], [1, 0])
        with pytest.raises(mlgate.NotRecorded, match="more than once"):
            run.predictions([1, 1], [1, 0], [1, 0])


def test_a_parameter_has_one_value():
    with mlgate.record("runs/churn.json") as run:
        run.params(depth=3)
        run.params(depth=3)
        with pytest.raises(mlgate.NotRecorded, match="can't become 4"):
            run.params(depth=4)


def test_without_a_path_the_record_goes_to_runs():
    with mlgate.record(model="churn") as run:
        run.metrics(f1=0.5)
    assert run.path.parent.name == "runs" and run.path.name.startswith("churn-2")
    assert read(run.path)["run_id"] == run.path.stem
