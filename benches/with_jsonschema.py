"""What a team without a gate writes: Python's json and jsonschema, with the same ten rules as far as a schema
can express them.

    python with_jsonschema.py FOLDER
"""

import json
import pathlib
import sys

import jsonschema

NUMBER = {"type": "number"}
DIGEST = {"type": "string", "pattern": "^[a-z0-9]+:"}
SCHEMA = {
    "type": "object",
    "required": ["params", "metrics", "git_commit", "data_version", "artifact", "created_at", "validation", "command",
                 "seed", "environment", "data"],
    "properties": {
        "git_commit": {"type": "string", "pattern": "^[0-9a-f]{7,40}$"},
        "validation": {"type": "object", "required": ["split", "digest", "rows"],
                       "properties": {"split": {"const": "holdout"}, "digest": {"const": "sha256:" + "a1" * 32},
                                      "rows": {"type": "number", "minimum": 1000}}},
        "params": {"type": "object", "required": ["optimizer"], "not": {"required": ["debug"]},
                   "properties": {"optimizer": {"enum": ["adam", "sgd", "adamw"]}}},
        "metrics": {"type": "object", "required": ["f1", "precision", "recall", "latency_p95_ms"],
                    "properties": {"f1": {"type": "number", "minimum": 0.5},
                                   "precision": {"type": "number", "minimum": 0.1, "maximum": 1},
                                   "recall": {"type": "number", "minimum": 0.1, "maximum": 1},
                                   "latency_p95_ms": {"type": "number", "maximum": 1000}}},
        "environment": {"type": "object", "required": ["lockfile"],
                        "properties": {"lockfile": {"type": "object", "required": ["digest"],
                                                    "properties": {"digest": DIGEST}}}},
        "data": {"type": "array", "minItems": 1,
                 "items": {"type": "object", "required": ["digest"], "properties": {"digest": DIGEST}}},
    },
}


def main(folder):
    folder = pathlib.Path(folder)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    baseline = json.loads((folder / "baseline.json").read_text())["metrics"]
    failed = 0
    for path in sorted((folder / "runs").glob("*.json")):
        record = json.loads(path.read_text())
        wrong = list(validator.iter_errors(record))
        metrics = record["metrics"]
        if wrong or baseline["f1"] - metrics["f1"] > 0.5 or metrics["latency_p95_ms"] > 10 * baseline["latency_p95_ms"]:
            failed += 1
    print(f"{failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(sys.argv[1])
