"""Aggregates without an engine: a session that records what it was asked, and a program that prints two statements."""

import decimal
import hashlib
import json
import pathlib
import subprocess
import sys

import pytest

import mlgate
from mlgate.cases import _statements

COLUMNS = ["kind", "name", "slice", "bucket", "truth", "baseline", "candidate", "n"]
GUARDS = {"ids_missing": 0, "ids_repeated": 0, "only_baseline": 0, "predictions_missing_candidate": 0}


class Frame:
    """A DataFrame of Spark, as far as it is used."""

    def __init__(self, session, names=("id", "y_true", "y_pred")):
        self.sparkSession, self.dtypes = session, [(name, "string") for name in names]

    def createOrReplaceTempView(self, name):
        self.sparkSession.asked.append(("register", name))
        self.sparkSession.views.add(name)


class Answer:
    def __init__(self, rows, columns=COLUMNS):
        self.columns, self._rows = columns, rows

    def collect(self):
        return self._rows


class Session:
    version = "4.3.0"

    def __init__(self, guards=GUARDS, cells=None):
        self.asked, self.views, self.catalog = [], set(), self
        none = [None] * 5
        self.guards = [("guard", name, *none, count) for name, count in guards.items()]
        self.guards += [("fact", f"rows_{side}", *none, 2) for side in ("baseline", "candidate")]
        self.cells = cells or [
            ("cell", None, "all", "fff", "nö", "1", "0", decimal.Decimal(1)),
            ("cell", None, "all", "00a", "a,b", 'say "1"', "0", decimal.Decimal(1)),
        ]

    def sql(self, sql):
        self.asked.append(("sql", sql))
        assert self.views, "the statements need the views"
        return Answer(self.guards if sql.startswith("guards") else self.cells)

    def dropTempView(self, name):
        self.asked.append(("drop", name))
        self.views.remove(name)

    def table(self, name):
        self.asked.append(("table", name))
        return Frame(self)


@pytest.fixture(autouse=True)
def program(tmp_path, monkeypatch):
    """Commands that the program got. It answers with statements over the tables."""
    monkeypatch.chdir(tmp_path)
    commands = []

    def run(command):
        commands.append(command)
        options = dict(word.lstrip("-").split("=", 1) for word in command if "=" in word)
        tables = f"{options['candidate']} {options.get('baseline')}"
        statements = [{"name": name, "sql": f"{name} {tables}"} for name in ("guards", "cells")]
        printed = {"version": 1, "columns": COLUMNS, "statements": statements}
        return subprocess.CompletedProcess(command, 0, json.dumps(printed), "")

    monkeypatch.setattr(_statements, "run_program", run)
    monkeypatch.setenv("MLGATE_PROGRAM", sys.executable)
    return commands


def test_guards_run_first_and_the_file_has_one_order(program):
    session = Session()
    result = mlgate.cases.spark(Frame(session), Frame(session), policy="gate.yaml", task="classification", out="agg.csv")
    assert [what for what, _ in session.asked] == ["register", "register", "sql", "sql", "drop", "drop"]
    assert session.asked[2][1].startswith("guards") and session.asked[3][1].startswith("cells")
    assert not session.views
    text = pathlib.Path("agg.csv").read_bytes()
    assert text.decode().splitlines() == [
        ",".join(COLUMNS),
        'cell,,all,00a,"a,b","say ""1""",0,1',
        "cell,,all,fff,nö,1,0,1",
        "fact,rows_baseline,,,,,,2",
        "fact,rows_candidate,,,,,,2",
        "guard,ids_missing,,,,,,0",
        "guard,ids_repeated,,,,,,0",
        "guard,only_baseline,,,,,,0",
        "guard,predictions_missing_candidate,,,,,,0",
    ]
    assert result.digest == "sha256:" + hashlib.sha256(text).hexdigest()
    assert (result.path, result.engine, result.rows) == ("agg.csv", "Spark 4.3.0", {"candidate": 2, "baseline": 2})
    assert program[0][1:5] == ["cases", "sql", "--format=json", "--engine=spark"]
    assert "--policy=gate.yaml" in program[0] and "--task=classification" in program[0]


def test_the_same_tables_have_the_same_statement_digest_though_views_have_other_names():
    first, second = ([Session(), None] for _ in range(2))
    for one in (first, second):
        one[1] = mlgate.cases.spark(Frame(one[0]), Frame(one[0]), out="agg.csv").statement_digest
    assert first[0].asked != second[0].asked
    assert first[1] == second[1]
    other = Session()
    assert mlgate.cases.spark(Frame(other, ["id", "y_true", "y_pred", "x"]), Frame(other), out="agg.csv").statement_digest != first[1]


def test_names_of_tables_are_looked_up_in_the_session():
    session = Session()
    mlgate.cases.spark("db.candidate", session=session, out="agg.csv")
    assert ("table", "db.candidate") in session.asked


@pytest.mark.parametrize("count", [3, None])
def test_a_guard_stops_everything_and_keeps_an_earlier_file(count):
    pathlib.Path("agg.csv").write_text("before")
    session = Session({**GUARDS, "ids_repeated": count, "only_baseline": 1})
    with pytest.raises(mlgate.GuardError) as error:
        mlgate.cases.spark(Frame(session), Frame(session), out="agg.csv")
    assert error.value.guards == {"ids_repeated": count, "only_baseline": 1}
    assert "1 id is only in the baseline (only_baseline)" in str(error.value)
    if count:
        assert "3 rows repeat an id that another row has (ids_repeated)" in str(error.value)
    assert pathlib.Path("agg.csv").read_text() == "before"
    assert len([what for what, _ in session.asked if what == "sql"]) == 1, "no other statement runs"
    assert not session.views


def test_no_guards_are_not_clean_guards():
    session = Session({})
    with pytest.raises(mlgate.GuardError):
        mlgate.cases.spark(Frame(session), Frame(session), out="agg.csv")


def test_columns_that_differ_by_case_only_are_refused_before_anything_is_registered(program):
    session = Session()
    with pytest.raises(mlgate.GuardError, match="`Y_Pred` and `y_pred` of the baseline") as error:
        mlgate.cases.spark(Frame(session), Frame(session, ["id", "y_true", "Y_Pred", "y_pred"]), out="agg.csv")
    assert error.value.guards == {"columns_alike": 1}
    assert not session.asked and not program


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("cell", None, "all", "000", "1", "1", "0", 1.0), "1.0 in the column n, which is not a whole number"),
        (("cell", None, "all", "000", 1, "1", "0", 1), "1 in the column truth, which is not text"),
        (("cell", None, "all", "000", "1", "1", "0", decimal.Decimal("0.5")), "not a whole number"),
    ],
)
def test_sums_that_are_not_whole_numbers_are_refused(cell, message):
    session = Session(cells=[cell])
    with pytest.raises(mlgate.GateError, match=message):
        mlgate.cases.spark(Frame(session), Frame(session), out="agg.csv")
    assert not pathlib.Path("agg.csv").exists() and not session.views


def test_columns_come_in_the_order_of_the_file_whatever_the_engine_says():
    session = Session()
    turned = [name.upper() for name in reversed(COLUMNS)]
    ask = session.sql
    session.sql = lambda sql: Answer([tuple(reversed(row)) for row in ask(sql).collect()], turned)
    mlgate.cases.spark(Frame(session), Frame(session), out="turned.csv")
    plain = Session()
    mlgate.cases.spark(Frame(plain), Frame(plain), out="plain.csv")
    assert pathlib.Path("turned.csv").read_bytes() == pathlib.Path("plain.csv").read_bytes()


def test_a_file_that_can_not_be_written_is_refused_before_the_engine_works():
    session = Session()
    with pytest.raises(mlgate.GateError, match="not to agg.xlsx"):
        mlgate.cases.spark(Frame(session), out="agg.xlsx")
    assert not session.asked


def test_what_the_program_says_is_the_error(monkeypatch):
    said = subprocess.CompletedProcess([], 2, "", "gate.yaml:3:1: weighted cases can't be aggregated\n")
    monkeypatch.setattr(_statements, "run_program", lambda command: said)
    with pytest.raises(mlgate.GateError, match="weighted cases"):
        mlgate.cases.spark(Frame(Session()), out="agg.csv")


def test_a_record_names_the_aggregates_and_their_source():
    session = Session()
    result = mlgate.cases.spark(Frame(session), Frame(session), out="runs/agg.csv.gz")
    with mlgate.record("runs/churn.json", model="churn") as run:
        run.metrics(f1=0.5)
        run.predictions(aggregates=result)
    found = json.loads(pathlib.Path("runs/churn.json").read_text())
    assert found["predictions"] == {
        "aggregates": "runs/agg.csv.gz",
        "digest": result.digest,
        "bytes": pathlib.Path("runs/agg.csv.gz").stat().st_size,
        "engine": "Spark 4.3.0",
        "statements": result.statement_digest,
    }
    assert found["validation"]["rows"] == 2


def test_a_record_takes_a_file_of_aggregates_that_another_engine_wrote():
    pathlib.Path("agg.csv").write_text("kind\n")
    with mlgate.record("runs/churn.json") as run:
        run.predictions(aggregates="agg.csv")
    found = json.loads(pathlib.Path("runs/churn.json").read_text())["predictions"]
    assert found["aggregates"] == "agg.csv" and "statements" not in found


def test_a_file_that_changed_after_it_was_aggregated_is_refused():
    session = Session()
    result = mlgate.cases.spark(Frame(session), Frame(session), out="agg.csv")
    pathlib.Path("agg.csv").write_text("kind\n")
    with pytest.raises(mlgate.NotRecorded, match="changed after it was written"), mlgate.record("runs/churn.json") as run:
        run.predictions(aggregates=result)


def test_aggregates_and_rows_are_not_recorded_together():
    with pytest.raises(mlgate.NotRecorded, match="in place of columns"), mlgate.record("runs/churn.json") as run:
        run.predictions([1], [1], [1], aggregates="agg.csv")


def test_inside_gate_record_aggregates_are_lines(monkeypatch):
    monkeypatch.setenv("GATE_RECORD_FILE", "lines")
    session = Session()
    result = mlgate.cases.spark(Frame(session), Frame(session), out="agg.csv")
    with mlgate.record() as run:
        run.predictions(aggregates=result)
    assert pathlib.Path("lines").read_text().splitlines() == [
        "aggregates=agg.csv",
        "aggregates.engine=Spark 4.3.0",
        f"aggregates.statements={result.statement_digest}",
    ]
    with pytest.raises(mlgate.NotRecorded, match="changed while the run was recorded"), mlgate.record() as run:
        run.predictions(aggregates=result)
        pathlib.Path("agg.csv").write_text("kind\n")


def test_duckdb_shows_columns_that_are_alike_with_a_number():
    from mlgate.cases._duckdb import _before_renaming

    assert _before_renaming(["id", "Y", "y_1"]) == ["id", "Y", "y"]
    assert _before_renaming(["y", "y_1", "score", "score_10", "top_5"]) == ["y", "y_1", "score", "score_10", "top_5"]
