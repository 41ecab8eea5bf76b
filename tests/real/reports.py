"""Projects whose reports have everything in them, and the schemas that the reports must fit."""

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

MIXED = """\
version: 1
runs: runs/*.json
baseline: approved.json
stages: { production: {} }
rules:
  recorded: { require: [params, metrics.f1, git_commit] }
  holds-up:
    metrics: { f1: { min: 0.80, max_drop: 0.005 } }
    message: "<script>alert('why')</script> & [customers](https://evil.example) notice"
  sure:
    models: [fraud]
    metrics: { f1: { max_drop: 0.02, confidence: 95% } }
  quick:
    level: warning
    metrics: { latency_p95_ms: { max: 120 } }
  someday:
    level: shadow
    metrics: { latency_p95_ms: { max: 50 } }
  staged: { stages: [production], require: [model] }
  accounted: { linked: true }
waivers:
  - { rule: holds-up, for: { metric: f1 }, model: old-labels, down_to: { max_drop: 0.02 },
      reason: labels changed, approved_by: ada, expires: 2099-01-01 }
"""

SLICES = """\
version: 1
runs: runs/*.json
baseline: approved.json
rules:
  recorded: { require: [params, git_commit, data_version, created_at] }
  no-worse:
    metrics:
      accuracy: { min: 0.85, max_drop: 0.02, confidence: 95% }
      latency_p95_ms: { max: 120, max_rise: 5% }
  no-region-left-behind:
    metrics: { accuracy: { max_drop: 0.02, confidence: 90% } }
    slices: { by: region, min_rows: 200 }
    message: A region where the model got worse costs us customers there.
"""


def record(name, model, metrics, **more):
    return {
        "run_id": name,
        **({"model": model} if model else {}),
        "git_commit": "3f2a9c1",
        "data_version": "2026-05-30",
        "params": {"max_depth": 8, "n_estimators": 200},
        "metrics": metrics,
        "created_at": "2026-05-30T12:00:00Z",
        **more,
    }


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value, indent=2))


def git(folder, *arguments):
    names = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def mixed(folder):
    split = {"validation": {"split": "holdout", "digest": "sha256:aa11"}}
    unsure = lambda value: {"value": value, "stderr": 0.02, "n": 500}
    write(folder / "gate.yaml", MIXED)
    write(folder / "approved.json", record("base", "churn", {"f1": unsure(0.847), "latency_p95_ms": 100}, **split))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "begin")
    runs = [
        ("pass", "churn", 0.843, 101),
        ("fail", "churn", 0.75, 130),
        ("unsure", "fraud", unsure(0.846), 101),
        ("waived", "old-labels", 0.835, 101),
        ("nomodel", None, 0.846, 101),
    ]
    for name, model, f1, latency in runs:
        artifact = f"models/{name}.pkl"
        metrics = {"f1": f1, "latency_p95_ms": latency}
        write(folder / "runs" / f"{name}.json", record(name, model, metrics, artifact=artifact, **split))
        write(folder / artifact, name)
    write(folder / "runs/broken.json", "{")
    write(folder / "models/orphan.pkl", "of no run")


def many(folder):
    rules = "".join(f"  rule-{n:02}:\n    metrics: {{ m{n}: {{ min: 0.70, max_drop: 0.02 }} }}\n" for n in range(20))
    write(folder / "gate.yaml", f"version: 1\nruns: runs/*.json\nbaseline: approved.json\nrules:\n{rules}")
    write(folder / "approved.json", record("base", "churn", {f"m{n}": 0.85 for n in range(20)}))
    chance = random.Random(1)
    for run in range(1000):
        lost = 0.05 if run % 10 == 0 else 0
        value = lambda n: round(0.85 - chance.random() * 0.019 - (lost if n % 7 == 0 else 0), 4)
        write(folder / "runs" / f"run-{run:04}.json", record(f"r{run}", "churn", {f"m{n}": value(n) for n in range(20)}))


def slices(folder):
    regions = ["EU", "US", "APAC", "LATAM", "AFRICA", "MENA"]

    def cases(name, right):
        chance = random.Random(name)
        rows, hits = ["id,y_true,y_pred,region"], 0
        for case in range(6000):
            region = regions[case * 7 % 6]
            share = right - (0.05 if (name, region) == ("new", "AFRICA") else 0)
            same = random.Random(f"{case}{'other' if chance.random() < 0.15 else ''}").random() < share
            hits += same
            rows.append(f"c{case},{case % 3 == 0:d},{(case % 3 == 0) == same:d},{region}")
        write(folder / f"{name}.csv", "\n".join(rows) + "\n")
        return round(hits / 6000, 4)

    write(folder / "gate.yaml", SLICES)
    for name, path, right, latency in [("old", "approved.json", 0.9, 100), ("new", "runs/new.json", 0.905, 101)]:
        metrics = {"accuracy": cases(name, right), "latency_p95_ms": latency}
        write(folder / path, record(name, "churn", metrics, predictions={"path": f"{name}.csv"}))


def ledger(folder):
    write(folder / "gate.yaml", """\
version: 1
runs: runs/*.json
stages: { staging: {} }
rules:
  holds-up: { metrics: { f1: { min: 0.80, max_drop: 0.02 } } }
""")
    for name, day, f1 in [("one", 1, 0.84), ("two", 8, 0.85), ("three", 15, 0.833), ("four", 22, 0.79)]:
        weights = f"the weights of {name}"
        digest = lambda text: f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
        write(folder / "models" / f"{name}.bin", weights)
        write(folder / "runs" / f"{name}.json", record(
            name, "churn", {"f1": f1, "recall": 0.9}, created_at=f"2026-05-{day:02}T12:00:00Z",
            slices={"region=EU": {"rows": 100, "metrics": {"f1": 0.8}}},
            data=[{"role": "train", "path": "data/train.csv", "digest": digest("train"), "rows": 1200}],
            validation={"split": "holdout", "digest": digest("holdout"), "rows": 300},
            artifact={"path": f"models/{name}.bin", "digest": digest(weights)},
        ))


def documents(folder):
    """A model card and a bill of materials, read by the libraries of those who defined them."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from huggingface_hub import ModelCard

    card = ModelCard.load(folder / "card.md")
    results = card.data.eval_results
    assert card.data.model_name == "churn", card.data
    assert {(one.metric_type, one.metric_value) for one in results} == {("f1", 0.85), ("recall", 0.9)}, results
    errors = JsonStrictValidator(SchemaVersion.V1_6).validate_str((folder / "bom.json").read_text())
    assert errors is None, errors


# What GitLab documents about Code Quality. Its own schema requires less, but GitLab stops reading at the first issue that
# does not fit, and shows no issue whose severity it does not know.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    # Relative to the top of the repository, without `./`.
                    "path": {"type": "string", "pattern": "^[^./]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def fits(instance, schema):
    import jsonschema

    validator = jsonschema.validators.validator_for(schema)(schema)
    errors = [f"{list(error.absolute_path)}: {error.message}" for error in validator.iter_errors(instance)]
    assert not errors, errors


def gitlab(folder):
    issues = json.loads((folder / "gate.gitlab.json").read_text())
    fits(issues, GITLAB)
    names = [issue["fingerprint"] for issue in issues]
    assert issues and len(set(names)) == len(names), "GitLab shows issues of one fingerprint once"


def test_result(folder):
    """The statement and its predicate, read strictly by in-toto's own classes."""
    from google.protobuf.json_format import Parse, ParseDict
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult
    from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
    from in_toto_attestation.v1.statement import Statement
    from in_toto_attestation.v1.statement_pb2 import Statement as Message

    text = (folder / "gate.intoto.json").read_text()
    statement = Statement.copy_from_pb(Parse(text, Message()))
    statement.validate()
    predicate = ParseDict(json.loads(text)["predicate"], TestResult())
    assert statement.pb.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    assert predicate.result == "FAILED" and predicate.failed_tests, predicate
    assert len(predicate.configuration) > 0
    for one in predicate.configuration:
        ResourceDescriptor.copy_from_pb(one).validate()
    for subject in json.loads(text)["subject"]:
        assert subject["digest"]["sha256"] == hashlib.sha256((folder / subject["name"]).read_bytes()).hexdigest(), subject


def validate(folder, sarif_schema, junit_schema):
    import junitparser
    from lxml import etree

    fits(json.loads((folder / "gate.sarif").read_text()), json.loads(Path(sarif_schema).read_text(encoding="utf-8-sig")))
    gitlab(folder)
    test_result(folder)
    xml = etree.parse(folder / "gate.xml")
    schema = etree.XMLSchema(etree.parse(junit_schema))
    assert schema.validate(xml), schema.error_log
    tests = junitparser.JUnitXml.fromfile(str(folder / "gate.xml"))
    assert tests.failures == len(xml.findall(".//failure")) and tests.failures > 0
    assert tests.errors == len(xml.findall(".//error"))


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    folder = Path(folder)
    if command == "make":
        for name, make in [("mixed", mixed), ("many", many), ("slices", slices), ("ledger", ledger)]:
            (folder / name).mkdir()
            make(folder / name)
    elif command == "documents":
        documents(folder)
    else:
        validate(folder, *rest)
