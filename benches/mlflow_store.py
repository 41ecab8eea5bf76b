"""Makes MLflow stores with 5,000 runs of 300 metrics each, as a database and behind a server, asks gate for a run and for all
of them, and prints how many requests that takes, how long, and how much memory.

    python mlflow_store.py GATE FOLDER [RUNS] [METRICS]

MLflow makes the tables and serves them; the rows are written past it, since by its own client they would take hours.
"""

import os
import pathlib
import random
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

POLICY = "version: 1\nrules:\n  f1: { metrics: { f1: { min: 0.5 } } }\n  commit: { require: [git_commit] }\n"
BEST = "version: 1\nrules:\n  f1: { require: { metrics.f1.best.max: { min: 0.5 } } }\n"


def make(path, runs, metrics):
    """An MLflow database with one experiment, and the id of one of its runs."""
    subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{path}"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    rng = random.Random(7)
    ids = [f"{rng.getrandbits(128):032x}" for _ in range(runs)]
    names = ["f1"] + [f"metric_{number:03}" for number in range(1, metrics)]
    db = sqlite3.connect(path)
    db.execute("INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) "
               "VALUES (77, 'big', '/nowhere', 'active')")
    db.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, source_version, status, "
        "start_time, end_time, lifecycle_stage, artifact_uri, experiment_id) "
        "VALUES (?, ?, 'LOCAL', '', '', 'ada', '', 'FINISHED', ?, ?, 'active', '/nowhere', 77)",
        ((id, f"run-{number}", 1_700_000_000_000 + number, 1_700_000_060_000 + number) for number, id in enumerate(ids)))
    for table, steps in (("metrics", (0, 1)), ("latest_metrics", (1,))):
        values = ((name, rng.uniform(0.7, 0.9), 1_700_000_000_000 + step, step, 0, id)
                  for id in ids for name in names for step in steps)
        db.executemany(f"INSERT INTO {table} (key, value, timestamp, step, is_nan, run_uuid) VALUES (?, ?, ?, ?, ?, ?)",
                       values)
    db.executemany("INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.source.git.commit', ?, ?)",
                   ((f"{rng.getrandbits(160):040x}", id) for id in ids))
    db.commit()
    db.close()
    return ids[runs // 2]


def serve(path, log):
    """A server for the database, and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{path}", "--host", "127.0.0.1",
               "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    uri = f"http://127.0.0.1:{port}"
    for _ in range(240):
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=5)
            return server, uri
        except OSError:
            time.sleep(0.5)
    server.terminate()
    sys.exit("MLflow's server does not start")


def requests(log):
    """How many API requests the server logged."""
    return pathlib.Path(log.name).read_text(errors="replace").count('/api/2.0/mlflow/')


def ask(command, folder):
    """Runs gate, and returns the seconds that it took and its largest resident set in millions of bytes."""
    began = time.perf_counter()
    with open(folder / "said", "w") as said:
        process = subprocess.Popen(command, cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} did not pass:\n" + (folder / "said").read_text()[:2_000])
    return time.perf_counter() - began, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def main(gate, folder, runs=5_000, metrics=300):
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "big.db"
    path.unlink(missing_ok=True)
    one = make(path, int(runs), int(metrics))
    (folder / "gate.yaml").write_text(POLICY)
    (folder / "best.yaml").write_text(BEST)
    cases = {
        "check of a run": ["check", f"mlflow:runs:/{one}"],
        "check of a run with .best": ["check", "--policy", "best.yaml", f"mlflow:runs:/{one}"],
        "check of the experiment": ["check", "mlflow:experiments:/big", "--format", "json"],
    }
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "120"
    with open(folder / "server.log", "w") as log:
        server, uri = serve(path, log)
        try:
            for store, address in (("server", uri), ("database", f"sqlite:///{path}")):
                os.environ["MLFLOW_TRACKING_URI"] = address
                for what, arguments in cases.items():
                    before = requests(log)
                    took, peak = ask([gate, *arguments], folder)
                    print(f"{store}, {what}: {requests(log) - before} requests, {took:.2f} s, {peak:.0f} MB", flush=True)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
