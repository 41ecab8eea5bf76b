"""The same cases counted by `gate`, by DuckDB and by Spark: the same bytes, the same verdict, and a guard for each trap.

Usage: scale.py GATE FOLDER ROWS MASTERS [PART ...]; the first of MASTERS that starts is used.
"""
import contextlib
import csv
import io
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import scale_tables as tables
import sqlglot

import mlgate

SMALL = 3000
DIALECTS = ("spark", "databricks", "duckdb", "trino", "bigquery", "snowflake", "postgres")
# For each kind: the policy, and the function that makes a model's table from a seed.
KINDS = {
    "binary": (tables.BINARY, tables.binary),
    "multiclass": (tables.MULTICLASS, tables.multiclass),
    "clustered": (tables.CLUSTERED, tables.multiclass),
    "regression": (tables.REGRESSION, tables.regression),
}


def gate(*arguments, code=0):
    ran = subprocess.run([os.environ["MLGATE_PROGRAM"], *map(str, arguments)], capture_output=True, text=True, encoding="utf-8")
    if ran.returncode != code:
        raise SystemExit(f"gate {' '.join(map(str, arguments))} exited with {ran.returncode}, not {code}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def same(what, *files):
    first, *others = (pathlib.Path(file).read_bytes() for file in files)
    for file, other in zip(files[1:], others):
        if other != first:
            ours, theirs = first.decode().splitlines(), other.decode().splitlines()
            lines = [f"  {files[0]}: {a}\n  {file}: {b}" for a, b in zip(ours, theirs) if a != b][:3]
            raise SystemExit(f"{what}: {len(ours)} and {len(theirs)} lines differ\n" + "\n".join(lines))
    rows = first.count(b"\n") - 1
    print(f"  {what}: {rows:,} rows, the same {len(first):,} bytes from {len(files)} sources", flush=True)


def frame(spark, path):
    # The JVM stays in the folder that it was started in.
    return spark().read.parquet(str(pathlib.Path(path).resolve()))


def timed(what, action):
    start = time.monotonic()
    result = action()
    print(f"  {what}: {time.monotonic() - start:.1f} s", flush=True)
    return result


def write_csv(table, path):
    with open(path, "w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(table.column_names)
        lines.writerows(zip(*table.to_pydict().values()))


class Session:
    """One Spark session for all parts, started by the first that needs it."""

    def __init__(self, masters):
        self.masters, self.started = masters, None

    def __call__(self):
        for master in self.masters:
            if self.started is None:
                self.started = timed(f"start of Spark, {master}", lambda: start(master))
        if self.started is None:
            raise SystemExit(f"Spark starts with none of {', '.join(self.masters)}")
        return self.started

    def stop(self):
        if self.started is not None:
            self.started.stop()


def start(master):
    """A session that can run a job, or `None`."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("gate")
    for key, value in {
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1", "spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "4",
        "spark.log.level": "ERROR", "spark.sql.warehouse.dir": os.path.abspath("warehouse"),
    }.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        print(f"  {master}: {str(error).splitlines()[0]}")
        return None
    # Without a worker, a job waits forever.
    patience = threading.Timer(120, session.sparkContext.cancelAllJobs)
    patience.start()
    try:
        session.range(1000).count()
    except Exception:
        print(f"  {master}: no worker takes a job")
        session.stop()
        return None
    finally:
        patience.cancel()
    print(f"  Spark {session.version}, DuckDB {duckdb.__version__}")
    return session


@contextlib.contextmanager
def folder(name):
    """A folder of its own, without what an earlier run left."""
    here = pathlib.Path.cwd()
    shutil.rmtree(here / name, ignore_errors=True)
    (here / name).mkdir()
    os.chdir(here / name)
    try:
        yield
    finally:
        os.chdir(here)


def dialects(_, __):
    """Every statement is read by a parser of its dialect."""
    for kind, (policy, _) in KINDS.items():
        pathlib.Path("gate.yaml").write_text(policy, encoding="utf-8")
        for engine in DIALECTS:
            for given in (["--candidate", "a.b", "--baseline", "c.d"], ["--candidate", "a.b"], ["--joined", "a.b"]):
                printed = json.loads(gate("cases", "sql", "--engine", engine, "--format", "json", *given))
                for statement in printed["statements"]:
                    parsed = sqlglot.parse(statement["sql"], read=engine)
                    assert len(parsed) == 1 and isinstance(parsed[0], sqlglot.exp.Select), (engine, statement)
                    assert parsed[0].named_selects == printed["columns"], (engine, statement["name"], parsed[0].named_selects)
                text = gate("cases", "sql", "--engine", engine, *given)
                assert len([one for one in sqlglot.parse(text, read=engine) if one]) == len(printed["statements"]), (engine, text)
    print(f"  {len(DIALECTS)} dialects, {len(KINDS)} policies")


def equality(spark, _):
    """Three programs, the same bytes."""
    for kind, (policy, make) in KINDS.items():
        pathlib.Path("gate.yaml").write_text(policy, encoding="utf-8")
        files = {}
        for side, seed in (("candidate", 11), ("baseline", 12)):
            table = make(SMALL, seed)
            files[side] = pathlib.Path(f"{kind}-{side}.parquet")
            pq.write_table(table, files[side])
            write_csv(table, f"{kind}-{side}.csv")
        candidate, baseline = files.values()
        for what, given in (("both", baseline), ("candidate", None)):
            local, by_csv, by_duckdb, by_csv_duckdb, by_spark = (
                f"{kind}-{what}-{name}.csv" for name in ("local", "local-csv", "duckdb", "duckdb-csv", "spark"))
            pair = ["--baseline", given] if given else []
            gate("cases", "aggregate", candidate, *pair, "--output", local)
            pair = ["--baseline", given.with_suffix(".csv")] if given else []
            gate("cases", "aggregate", candidate.with_suffix(".csv"), *pair, "--output", by_csv)
            mlgate.cases.duckdb(candidate, given, out=by_duckdb)
            mlgate.cases.duckdb(candidate.with_suffix(".csv"), given and given.with_suffix(".csv"), out=by_csv_duckdb)
            result = mlgate.cases.spark(frame(spark, candidate), given and frame(spark, given), out=by_spark)
            assert result.rows == {"candidate": SMALL, **({"baseline": SMALL} if given else {})}, result
            same(f"{kind}, {what}", local, by_csv, by_duckdb, by_csv_duckdb, by_spark)
    assert not spark().catalog.listTables(), spark().catalog.listTables()


def large(spark, rows):
    """Many rows: the same bytes, and how long it takes."""
    pathlib.Path("gate.yaml").write_text(tables.MANY, encoding="utf-8")
    for side, seed in (("candidate", 21), ("baseline", 22)):
        pq.write_table(tables.many(rows, seed), f"{side}.parquet", row_group_size=1_000_000)
    print(f"  2 × {rows:,} rows, {os.path.getsize('candidate.parquet') + os.path.getsize('baseline.parquet'):,} bytes of Parquet")
    candidate, baseline = pathlib.Path("candidate.parquet"), pathlib.Path("baseline.parquet")
    timed("DuckDB", lambda: mlgate.cases.duckdb(candidate, baseline, out="duckdb.csv"))
    timed("Spark", lambda: mlgate.cases.spark(frame(spark, candidate), frame(spark, baseline), out="spark.csv"))
    timed("gate cases aggregate", lambda: gate("cases", "aggregate", candidate, "--baseline", baseline, "--output", "local.csv"))
    same("large", "local.csv", "duckdb.csv", "spark.csv")


def refused(what, guard, action):
    """Ends in that guard, and writes nothing."""
    out = pathlib.Path("refused.csv")
    try:
        action(out)
    except mlgate.GuardError as error:
        assert guard in error.guards, (what, guard, error.guards)
        assert not out.exists(), what
        said = next(line.strip() for line in str(error).splitlines() if line.endswith(f"({guard})"))
        print(f"  {what}: {said}", flush=True)
        return
    raise SystemExit(f"{what}: {guard} was expected, and there was no error")


def traps(spark, _):
    """What engines do differently ends in a guard."""
    names, numbers = (tables.POLICY.format(cases="{}", metrics=metrics) for metrics in (
        "{ accuracy: { max_drop: 0.02, confidence: 95% }, log_loss: { max_rise: 0.01, confidence: 95% } }",
        "{ rmse: { max_rise: 0.02, confidence: 95% } }"))
    rows = 64
    whole = {"id": [f"{row:03d}" for row in range(rows)], "y_true": ["0", "1"] * 32, "y_pred": ["0", "1"] * 32, "score": [0.25] * rows}
    figures = {"id": whole["id"], "y_true": [1.0] * rows, "y_pred": [2.0] * rows}
    make = lambda columns, **changed: pa.table({**columns, **changed})
    first = lambda columns, name, value: {name: [value] + columns[name][1:]}

    def both(what, guard, candidate, baseline):
        for engine in ("DuckDB", "Spark"):
            run = mlgate.cases.duckdb if engine == "DuckDB" else mlgate.cases.spark
            frames = [candidate, baseline] if engine == "DuckDB" else [on_spark(one) for one in (candidate, baseline)]
            refused(f"{what}, {engine}", guard, lambda out: run(*frames, out=out))

    def on_spark(table):
        path = f"{next(numbered)}.parquet"
        pq.write_table(table, path)
        return frame(spark, path)

    numbered = itertools.count()
    policy = pathlib.Path("gate.yaml")
    policy.write_text(names, encoding="utf-8")
    plain = make(whole)
    both("a score that is NaN", "scores_unusable_candidate", make(whole, **first(whole, "score", float("nan"))), plain)
    both("a score that is missing", "scores_unusable_baseline", plain, make(whole, **first(whole, "score", None)))
    both("a label that is missing", "labels_missing", make(whole, **first(whole, "y_true", None)), plain)
    both("ids as numbers against texts", "only_candidate", make(whole, id=list(range(rows))), plain)
    both("labels as numbers against texts", "labels_differ", make(whole, y_true=[0.0, 1.0] * 32), plain)
    both("rows that another table lacks", "only_baseline", plain.slice(1), plain)
    both("an id in all rows", "ids_repeated", make(whole, id=["id"] * rows), plain)
    # DuckDB's statements on Spark, where `"id"` is a string, so all rows have the same id.
    plain_frame = on_spark(plain)
    plain_frame.createOrReplaceTempView("plain")
    quoted = json.loads(gate("cases", "sql", "--engine", "duckdb", "--candidate", "plain", "--format", "json"))["statements"]
    quoted = {one["name"]: one["sql"].replace("VARCHAR", "STRING") for one in quoted}
    counts = {row["name"]: int(row["n"]) for row in spark().sql(quoted["guards"].replace('"score"', "score")).collect()}
    spark().catalog.dropTempView("plain")
    assert counts["ids_repeated"] == rows - 1 and counts["ids_candidate"] == 1, counts
    print(f'  "id" on Spark is a text: {counts["ids_repeated"]} ids repeated')
    # LN(0) is infinite in one engine and NULL in the other, and SUM skips NULL.
    ends = [make(whole, score=[0.0, 1.0] * 32), make(whole, score=[1.0, 0.0] * 32)]
    mlgate.cases.duckdb(*ends, out="ends-duckdb.csv")
    mlgate.cases.spark(*(on_spark(one) for one in ends), out="ends-spark.csv")
    same("scores of exactly 0 and 1", "ends-duckdb.csv", "ends-spark.csv")
    # Spark reads 001 as the number 1 when it guesses types.
    pa.csv.write_csv(plain, "guessed.csv")
    guessed = spark().read.csv(os.path.abspath("guessed.csv"), header=True, inferSchema=True)
    refused("001 read as 1, Spark", "only_candidate", lambda out: mlgate.cases.spark(guessed, plain_frame, out=out))
    # Names that differ only in case.
    alike = pa.table({"id": whole["id"], "y_true": whole["y_true"], "Y_Pred": ["1"] * rows, "y_pred": whole["y_pred"], "score": whole["score"]})
    pq.write_table(alike, "alike.parquet")
    for what, table in (("Arrow", alike), ("a file", pathlib.Path("alike.parquet")), ("a relation", duckdb.read_parquet("alike.parquet"))):
        refused(f"`Y_Pred` and `y_pred`, DuckDB, {what}", "columns_alike", lambda out: mlgate.cases.duckdb(table, out=out))
    # Spark refuses to read such a file unless names are case-sensitive. The DataFrame keeps both columns.
    spark().conf.set("spark.sql.caseSensitive", "true")
    sensitive = frame(spark, "alike.parquet")
    for setting in ("true", "false"):
        spark().conf.set("spark.sql.caseSensitive", setting)
        refused(f"`Y_Pred` and `y_pred`, Spark, caseSensitive={setting}", "columns_alike", lambda out: mlgate.cases.spark(sensitive, out=out))

    policy.write_text(numbers, encoding="utf-8")
    plain = make(figures)
    for value in (float("nan"), float("inf"), None, 3e9, -1500000.0):
        both(f"a prediction of {value}", "numbers_unusable_candidate", make(figures, **first(figures, "y_pred", value)), plain)
        both(f"a label of {value}", "numbers_unusable_label", make(figures, **first(figures, "y_true", value)), plain)
    # With ANSI off, sums beyond 2^63 wrap, and text that is cast to a number is NULL.
    spark().conf.set("spark.sql.ansi.enabled", "false")
    for value in (3e9, float("nan")):
        wrong = on_spark(make(figures, y_pred=[value] * rows))
        refused(f"predictions of {value}, Spark without ANSI", "numbers_unusable_candidate",
                lambda out: mlgate.cases.spark(wrong, on_spark(plain), out=out))
    texts = on_spark(make(figures, y_pred=["cat"] * rows))
    refused("predictions of text, Spark without ANSI", "numbers_unusable_candidate",
            lambda out: mlgate.cases.spark(texts, on_spark(plain), out=out))
    spark().conf.set("spark.sql.ansi.enabled", "true")


def verdict(spark, _):
    """The report is the same from rows, from `gate`'s aggregates and from Spark's."""
    policy = tables.POLICY.format(cases="{}", metrics="{ accuracy: { max_drop: 0.01, confidence: 95% }, f1: { max_drop: 0.03, confidence: 95% } }\n    slices: { by: region }")
    pathlib.Path("gate.yaml").write_text(policy, encoding="utf-8")
    files = {"candidate": pathlib.Path("candidate.parquet"), "approved": pathlib.Path("approved.parquet")}
    for seed, file in enumerate(files.values(), 31):
        pq.write_table(tables.many(20_000, seed).drop_columns(["score"]), file)
    gate("cases", "aggregate", files["candidate"], "--baseline", files["approved"], "--output", "local.csv")
    gate("cases", "aggregate", files["approved"], "--output", "approved.csv")
    mlgate.cases.spark(*(frame(spark, file) for file in files.values()), out="spark.parquet")

    def record(model, predictions):
        right, positives, hits, guesses = counts_of(pq.read_table(files[model].resolve()))
        with mlgate.record(f"{model}.json", model="churn", run_id=model, data_version="1") as run:
            run.validation(digest="sha256:" + "0" * 64, rows=20_000)
            run.metrics(accuracy=right / 20_000, f1=2 * hits / (positives + guesses))
            run.predictions(**predictions)

    files = {name: file.resolve() for name, file in files.items()}
    reports = {}
    for source, recorded in {
        "rows": {"candidate": "candidate.parquet", "approved": "approved.parquet"},
        "local": {"candidate": "local.csv", "approved": "approved.csv"},
        "spark": {"candidate": "spark.parquet", "approved": "approved.csv"},
    }.items():
        originals = pathlib.Path.cwd()
        with folder(source):
            shutil.copy(originals / "gate.yaml", "gate.yaml")
            for model, file in recorded.items():
                shutil.copy(originals / file, file)
                record(model, {"path" if source == "rows" else "aggregates": file})
            report = gate("check", "candidate.json", "--baseline", "approved.json", "--color=never", "-v", code=1)
        reports[source] = [line for line in report.splitlines() if not line.endswith(" old")]
        if reports[source] != reports["rows"]:
            differ = [f"  rows: {a}\n  {source}: {b}" for a, b in zip(reports["rows"], reports[source]) if a != b]
            raise SystemExit("the reports differ:\n" + "\n".join(differ[:5]))
    lines = [line for line in reports["rows"] if "f1 [region=SA]" in line or "Tango" in line]
    print(f"  {len(reports['rows'])} lines of a report, the same from {', '.join(reports)}:\n  " + "\n  ".join(lines[:3]))


def code_of(begin):
    """The code block of docs/scale.md that begins so."""
    page = (pathlib.Path(__file__).parents[2] / "docs/scale.md").read_text(encoding="utf-8")
    block = page[page.index(begin):]
    return block[:block.index("```")]


@contextlib.contextmanager
def database():
    """The script of docs/scale.md beside a server: what runs a command, what runs SQL, and what loads a table."""
    pathlib.Path("aggregate.sh").write_text(code_of("#!/usr/bin/env bash"), encoding="utf-8")
    pathlib.Path("aggregate.sh").chmod(0o755)
    types = {pa.string(): "text", pa.int64(): "bigint", pa.float64(): "double precision"}
    quoted = lambda name: '"' + name.replace('"', '""') + '"'
    with server() as environment:
        def run(*command, code=0, **more):
            ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment, **more)
            if ran.returncode != code:
                raise SystemExit(f"{command} exited with {ran.returncode}, not {code}:\n{ran.stdout}{ran.stderr}")
            return ran

        psql = ["psql", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--command"]

        def load(table, name, path):
            write_csv(table, path)
            columns = ", ".join(f"{quoted(field.name)} {types[field.type]}" for field in table.schema)
            run(*psql, f"CREATE TABLE {name} ({columns})")
            # An empty field without quotes is NULL.
            with open(path, encoding="utf-8", newline="") as file:
                run(*psql, f"COPY {name} FROM STDIN WITH (FORMAT csv, HEADER)", stdin=file)

        yield run, psql, load


def postgres(_, __):
    """The script of docs/scale.md counts on real PostgreSQL what `gate` counts."""
    with database() as (run, psql, load):
        for kind, (policy, make) in KINDS.items():
            pathlib.Path("gate.yaml").write_text(policy, encoding="utf-8")
            for side, seed in (("candidate", 11), ("baseline", 12)):
                load(make(SMALL, seed), f"{kind}_{side}", f"{side}.csv")
            gate("cases", "aggregate", "candidate.csv", "--baseline", "baseline.csv", "--output", "local.csv")
            printed = run("bash", "aggregate.sh", f"{kind}_candidate", f"{kind}_baseline").stdout
            header, *rows = csv.reader(io.StringIO(printed))
            with open("postgres.csv", "w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([header, *sorted(rows, key=lambda row: row[:7])])
            same(kind, "local.csv", "postgres.csv")
        run(*psql, "CREATE TABLE repeated AS SELECT * FROM regression_candidate UNION ALL (SELECT * FROM regression_candidate LIMIT 3)")
        ran = run("bash", "aggregate.sh", "repeated", "regression_baseline", code=1)
        assert ran.stdout == "" and ran.stderr == "ids_repeated: 3\n", (ran.stdout[:200], ran.stderr)
        print(f"  rows that repeat: {ran.stderr.strip()}")


PROMOTED = tables.POLICY.format(cases="{}", metrics="{ accuracy: { max_drop: 0.02, confidence: 95% } }")


def promoted():
    """Predictions of the candidate and of what it replaces, whose record is there, with the accuracy of both."""
    pathlib.Path("gate.yaml").write_text(PROMOTED, encoding="utf-8")
    both = {side: tables.many(20_000, seed).drop_columns(["score"]) for side, seed in (("candidate", 31), ("baseline", 32))}
    accuracy = {side: counts_of(table)[0] / 20_000 for side, table in both.items()}
    pathlib.Path("approved.json").write_text(json.dumps({"run_id": "old", "model": "churn", "metrics": {"accuracy": accuracy["baseline"]}}))
    pathlib.Path("runs").mkdir()
    return both, accuracy


def workflow(_, __):
    """The commands of the workflow of docs/scale.md, with real PostgreSQL and git."""
    both, accuracy = promoted()
    pathlib.Path("runs/churn.table").write_text("ml.predictions_candidate\n")
    pathlib.Path("record.py").write_text(f"""import mlgate
with mlgate.record("runs/churn.json", model="churn") as run:
    run.metrics(accuracy={accuracy["candidate"]})
    run.predictions(aggregates="runs/churn.aggregates.csv")
""")
    commands = [line.split("- run: ")[1] for line in code_of("# .github/workflows/promote.yml").splitlines() if "- run: " in line]
    assert commands[0].startswith("pip install") and len(commands) == 4, commands
    with database() as (run, psql, load):
        run(*psql, "CREATE SCHEMA ml")
        load(both["candidate"], "ml.predictions_candidate", "candidate.csv")
        load(both["baseline"], "ml.predictions_production", "baseline.csv")
        run("bash", "-ec", """git init --quiet --initial-branch=main
            git config user.name gate; git config user.email gate@example.com
            git add gate.yaml approved.json; git commit --quiet --message=base
            git update-ref refs/remotes/origin/main HEAD
            git checkout --quiet -b change; git add runs/churn.table; git commit --quiet --message=candidate""")
        tools = f"PATH={pathlib.Path(sys.executable).parent}:$PATH; BASE=main; "
        for command in commands[1:]:
            ran = run("bash", "-ec", tools + command)
            print(f"  {command.split(' #')[0]}")
        assert "pass" in ran.stdout.lower(), ran.stdout
    print("  " + ran.stdout.strip().splitlines()[-1])


def airflow(spark, _):
    """The task of docs/scale.md, with a session of this machine in place of a remote one."""
    both, accuracy = promoted()
    for side, table in both.items():
        pq.write_table(table, f"{side}.parquet")
        frame(spark, f"{side}.parquet").createOrReplaceTempView(side)
    task = code_of("@task")
    for there, here in (('"/opt/churn"', repr(os.getcwd())),
                        ('.builder.remote(os.environ["SPARK_REMOTE"]).getOrCreate()', ".getActiveSession()")):
        assert there in task, there
        task = task.replace(there, here)
    names = {"task": lambda function: function, "metrics_of": lambda table: {"accuracy": accuracy[table]}}
    exec(compile(task, "docs/scale.md", "exec"), names)
    names["promote"]("candidate", "baseline")
    print(f"  {json.loads(pathlib.Path('runs/churn.json').read_text())['predictions']['engine']}: promoted")
    try:
        # Conversely, the baseline's record reports the accuracy of another model.
        names["promote"]("baseline", "candidate")
    except mlgate.CheckFailed as error:
        assert "aggregates/other-baseline" in str(error), error
        print("  another baseline than the approved one: CheckFailed")
    else:
        raise SystemExit("aggregates of another baseline passed")
    for side in both:
        spark().catalog.dropTempView(side)


@contextlib.contextmanager
def server():
    """PostgreSQL on a socket in this folder, as another user if root runs this: it refuses to be root."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    place = pathlib.Path(tempfile.mkdtemp(prefix="gate-pg-"))  # the path of a socket is short
    place.chmod(0o755)
    user = []
    if os.getuid() == 0:
        shutil.chown(place, "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    control = [*user, str(programs / "pg_ctl"), "--pgdata", str(place / "data"), "--wait", "--silent"]
    run = lambda *command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=place)
    try:
        run(*user, str(programs / "initdb"), "--pgdata", str(place / "data"), "--username=gate", "--auth=trust", "--encoding=UTF8", "--locale=C")
        run(*control, "--options", f"-k {place} -c listen_addresses=''", "--log", str(place / "log"), "start")
        try:
            tools = os.pathsep.join([str(pathlib.Path("bin").resolve()), os.environ["PATH"]])
            pathlib.Path("bin").mkdir()
            pathlib.Path("bin/gate").symlink_to(os.environ["MLGATE_PROGRAM"])
            yield {**os.environ, "PATH": tools, "PGHOST": str(place), "PGUSER": "gate", "PGDATABASE": "postgres"}
        finally:
            run(*control, "--mode=immediate", "stop")
    finally:
        shutil.rmtree(place)


def counts_of(table):
    truth, guess = table["y_true"], table["y_pred"]
    total = lambda mask: pc.sum(pc.cast(mask, pa.int64())).as_py()
    return (total(pc.equal(truth, guess)), total(pc.equal(truth, 1)),
            total(pc.and_(pc.equal(truth, 1), pc.equal(guess, 1))), total(pc.equal(guess, 1)))


PARTS = {part.__name__: part for part in (dialects, postgres, workflow, equality, traps, verdict, airflow, large)}


def main():
    program, work, rows, masters, *parts = sys.argv[1:]
    os.environ["MLGATE_PROGRAM"] = os.path.abspath(program)
    os.chdir(work)
    spark = Session(masters.split())
    try:
        for name in parts or PARTS:
            print(f"-- {name}: {PARTS[name].__doc__.splitlines()[0]}", flush=True)
            with folder(name):
                timed(name, lambda: PARTS[name](spark, int(rows)))
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
