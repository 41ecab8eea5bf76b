"""The same trainings, kept by real trackers. usage: trackers.py TRACKER [ARGUMENTS]"""

import hashlib
import json
import os
import pickle
import subprocess
import sys

MODELS = {
    "baseline": dict(C=0.001, columns=12),
    "better": dict(C=1.0, columns=20),
    "worse": dict(C=0.001, columns=2),
}


def train(name, seed=0):
    """Trains one model for real; gives its parameters, metrics, a history, the model and the digest of the split."""
    from sklearn.datasets import make_classification
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score, log_loss
    from sklearn.model_selection import train_test_split

    x, y = make_classification(4000, 20, n_informative=12, flip_y=0.05, random_state=7)
    x, x_test, y, y_test = train_test_split(x, y, test_size=1000, random_state=42)
    params = MODELS[name]
    x, x_test = x[:, : params["columns"]], x_test[:, : params["columns"]]
    rows = slice(seed * 10, None)
    history = []
    for step in (1, 2, 30):
        model = LogisticRegression(C=params["C"], max_iter=step).fit(x[rows], y[rows])
        history.append((step, float(log_loss(y_test, model.predict_proba(x_test)))))
    metrics = {"f1": float(f1_score(y_test, model.predict(x_test)))}
    split = "sha256:" + hashlib.sha256(y_test.tobytes()).hexdigest()
    return {**params, "seed": seed}, metrics, history, model, (x_test, y_test, split)


def with_mlflow(folder):
    """Logs and registers all three; versions 1, 2, 3, of which 1 is the champion, and in production where stages are."""
    import mlflow
    import pandas

    client = mlflow.MlflowClient()
    mlflow.set_experiment("churn")
    for version, name in enumerate(MODELS, 1):
        params, metrics, history, model, (x_test, y_test, split) = train(name)
        path = os.path.join(folder, f"{name}.pkl")
        with open(path, "wb") as file:
            pickle.dump(model, file)
        with open(path, "rb") as file:
            digest = "sha256:" + hashlib.sha256(file.read()).hexdigest()
        with mlflow.start_run(run_name=name) as run:
            mlflow.log_params(params)
            frame = pandas.DataFrame(x_test, columns=[f"x{i}" for i in range(x_test.shape[1])])
            mlflow.log_input(mlflow.data.from_pandas(frame, name="churn-test"), context="testing")
            mlflow.set_tags({
                "data_version": "2026-05-30", "validation.digest": split, "artifact.digest": digest,
                "mlflow.source.git.commit": "64a17f38dd4b6e0d1e52414a6f08254a6d857dcc",
            })
            where = {"name": "model"} if mlflow.__version__[0] >= "3" else {"artifact_path": "model"}
            mlflow.sklearn.log_model(model, registered_model_name="churn", **where)
            mlflow.log_metrics(metrics)
            for step, value in history:
                mlflow.log_metric("valid_log_loss", value, step=step)
            if name == "worse":
                mlflow.log_metric("precision", float("nan"))
                mlflow.log_metric("loss", float("inf"))
        print(name, run.info.run_id, metrics)
    client.set_registered_model_alias("churn", "champion", "1")
    if "stages" in sys.argv:
        client.transition_model_version_stage("churn", "1", "Production")


def one_run():
    """A run with a model, as a training logs it that knows nothing of gate: `gate record` goes around it."""
    import mlflow

    mlflow.set_tracking_uri(os.environ["TRAINED_TO"])
    mlflow.set_experiment("recorded")
    params, metrics, history, model, _ = train("better")
    with mlflow.start_run():
        mlflow.log_params(params)
        mlflow.log_metrics(metrics)
        for step, value in history:
            mlflow.log_metric("valid_log_loss", value, step=step)
        with mlflow.start_run(nested=True):
            mlflow.log_metric("f1", 0.0)
        where = {"name": "model"} if mlflow.__version__[0] >= "3" else {"artifact_path": "model"}
        mlflow.sklearn.log_model(model, registered_model_name="recorded", **where)


def with_wandb(folder):
    """Offline runs of two seeds each, and one that is killed; runs.txt has their folders in that order."""
    import wandb

    folders = []

    for name in MODELS:
        for seed in (0, 1):
            params, metrics, history, _, (_, y_test, split) = train(name, seed)
            config = {**params, "data_version": "2026-05-30",
                      "validation": {"split": "test", "digest": split, "rows": len(y_test)}}
            run = wandb.init(project="churn", group=name, name=f"{name}-s{seed}", config=config, dir=folder, mode="offline")
            run.define_metric("valid_log_loss", summary="min")
            for _, value in history:
                run.log({"valid_log_loss": value})
            run.log(metrics)
            run.finish()
            folders.append(os.path.basename(os.path.dirname(run.dir)))
    # A run that is killed in the middle. It must not share this process's service, which would finish the run for it.
    alone = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    code = f"import os, wandb; run = wandb.init(project='churn', name='killed', dir={folder!r}, mode='offline'); run.log({{'f1': 0.99}}); os._exit(3)"
    subprocess.run([sys.executable, "-c", code], check=False, env=alone)
    others = [name for name in os.listdir(os.path.join(folder, "wandb")) if name.startswith("offline-run-")]
    folders += [name for name in others if name not in folders]
    with open(os.path.join(folder, "runs.txt"), "w") as file:
        file.write("\n".join(folders) + "\n")


def with_wandb_parts(folder):
    """A run that is resumed, one with the same id that is not, and one with summaries of its own; parts.txt has their folders."""
    import time
    import wandb

    folders = []

    def run(**arguments):
        run = wandb.init(dir=folder, mode="offline", **arguments)
        folders.append(os.path.basename(os.path.dirname(run.dir)))
        return run

    for part, values in enumerate(({"f1": 0.8, "auc": 0.9}, {"f1": 0.81})):
        one = run(project="churn", id="resumed1", resume="allow" if part else None)
        one.log(values)
        one.finish()
        time.sleep(1.1)
    other = run(project="other", id="resumed1")
    other.log({"recall": 0.5})
    other.finish()
    kept = run(project="churn", id="kept")
    kept.define_metric("v_*", summary="max")
    for value in (3, 2):
        kept.log({"v_loss": value, "gone": value})
    del kept.summary["gone"]
    kept.finish()
    with open(os.path.join(folder, "parts.txt"), "w") as file:
        file.write("\n".join(folders) + "\n")


def with_sacred(folder):
    from sacred import Experiment
    from sacred.observers import FileStorageObserver

    for name in MODELS:
        experiment = Experiment(name, save_git_info=False)
        experiment.observers.append(FileStorageObserver(folder))
        params, metrics, history, _, (_, y_test, split) = train(name)
        experiment.add_config({**params, "data_version": "2026-05-30",
                               "validation": {"split": "test", "digest": split, "rows": len(y_test)}})

        @experiment.main
        def main(_run):
            for step, value in history:
                _run.log_scalar("valid_log_loss", value, step)
            _run.log_scalar("f1", metrics["f1"])

        experiment.run()


def with_dvclive(folder):
    from dvclive import Live

    for name in MODELS:
        params, metrics, history, _, _ = train(name)
        with Live(os.path.join(folder, name), save_dvc_exp=False, dvcyaml=None) as live:
            live.log_params(params)
            for _, value in history:
                live.log_metric("valid_log_loss", value)
                live.next_step()
            live.summary["f1"] = metrics["f1"]


def plain(folder):
    for name in MODELS:
        params, metrics, history, _, (_, y_test, split) = train(name)
        run = {"run_id": name, "status": "finished", "params": params, "metrics": metrics, "data_version": "2026-05-30",
               "validation": {"split": "test", "digest": split, "rows": len(y_test)}}
        with open(os.path.join(folder, f"{name}.json"), "w") as file:
            json.dump(run, file, indent=2)


def stage(name):
    """The one stage of a DVC pipeline: writes metrics.json and model.pkl."""
    _, metrics, history, model, _ = train(name)
    with open("metrics.json", "w") as file:
        json.dump({**metrics, "valid": {"log_loss": history[-1][1]}}, file)
    with open("model.pkl", "wb") as file:
        pickle.dump(model, file)


def alias(version=None):
    """Prints the version that the champion is, or moves it."""
    import mlflow

    client = mlflow.MlflowClient()
    if version:
        client.set_registered_model_alias("churn", "champion", version)
    print(client.get_model_version_by_alias("churn", "champion").version)


def https(certificate, client=None):
    """A server with a certificate of its own, which may want one of the client's; it has no runs. Prints its port."""
    import http.server
    import ssl
    import threading

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"}'
            self.send_response(404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if client:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.server_address[1], flush=True)
    threading.Timer(60, server.shutdown).start()
    server.serve_forever()


def holds(path, *expressions):
    """Fails where something is not so of the record `run` that `gate show` printed."""
    run = json.load(open(path))
    value = lambda name: run["metrics"][name]["value"] if isinstance(run["metrics"][name], dict) else run["metrics"][name]
    for expression in expressions:
        assert eval(expression, {"run": run, "value": value}), f"{expression} does not hold of {run}"


def same(one, other, *fields):
    """Fails where two records that `gate show` printed differ in a field."""
    one, other = (json.load(open(path)) for path in (one, other))
    for field in fields:
        assert one.get(field) == other.get(field), f"{field}: {one.get(field)} and {other.get(field)}"


if __name__ == "__main__":
    {"mlflow": with_mlflow, "wandb": with_wandb, "wandb-parts": with_wandb_parts, "sacred": with_sacred, "dvclive": with_dvclive, "plain": plain,
     "one-run": one_run, "stage": stage, "alias": alias, "https": https, "same": same, "holds": holds}[sys.argv[1]](*[a for a in sys.argv[2:] if a != "stages"])
