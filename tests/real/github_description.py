"""Cuts GitHub's description of its API down to the calls that gate makes, answers included, for Prism.

    python3 github_description.py api.github.com.json > description.json

Prism takes a media type literally, and GitHub ignores properties that it does not know: so each answer is also declared as
`application/vnd.github+json`, and request bodies may not have unknown properties.
"""

import json
import sys

R = "/repos/{owner}/{repo}"
CALLS = {
    f"{R}/check-runs": ["post"],
    f"{R}/check-runs/{{check_run_id}}": ["patch"],
    f"{R}/commits/{{ref}}/check-runs": ["get"],
    f"{R}/issues/{{issue_number}}/comments": ["get", "post"],
    f"{R}/issues/comments/{{comment_id}}": ["patch", "delete"],
    f"{R}/pulls": ["get"],
}


def referred(node, whole, seen):
    if isinstance(node, list):
        for item in node:
            referred(item, whole, seen)
    elif isinstance(node, dict):
        name = node.get("$ref")
        if isinstance(name, str) and name not in seen:
            target = whole
            for part in name[2:].split("/"):
                target = target[part]
            seen[name] = target
            referred(target, whole, seen)
        for value in node.values():
            referred(value, whole, seen)


def both_types(node):
    if isinstance(node, list):
        for item in node:
            both_types(item)
    elif isinstance(node, dict):
        content = node.get("content")
        if isinstance(content, dict) and "application/json" in content:
            content.setdefault("application/vnd.github+json", content["application/json"])
        for value in node.values():
            both_types(value)


def main(path):
    with open(path) as file:
        whole = json.load(file)
    out = {"openapi": whole["openapi"], "info": whole["info"], "servers": whole["servers"],
           "paths": {name: {verb: whole["paths"][name][verb] for verb in verbs} for name, verbs in CALLS.items()}}
    seen = {}
    referred(out["paths"], whole, seen)
    for name, node in seen.items():
        *folders, last = name[2:].split("/")
        place = out
        for folder in folders:
            place = place.setdefault(folder, {})
        place[last] = node
    for operations in out["paths"].values():
        for operation in operations.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "properties" in content["schema"]:
                    content["schema"]["additionalProperties"] = False
    both_types(out)
    json.dump(out, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main(sys.argv[1])
