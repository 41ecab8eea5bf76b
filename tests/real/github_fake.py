"""A GitHub that remembers, behind Prism: its answers are GitHub's own examples with what was asked for put in, so that
Prism can hold them against GitHub's description too.

    python3 github_fake.py PORT api.github.com.json
"""

import copy
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMENTS, CHECK_RUNS = [], []


class Fake(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    examples = {}

    def answer(self, status, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        length = int(self.headers.get("content-length") or 0)
        return json.loads(self.rfile.read(length) or b"{}")

    def example(self, name):
        return copy.deepcopy(self.examples[name]["value"])

    def do_GET(self):
        path = self.path.split("?")[0]
        if path.endswith("/comments"):
            self.answer(200, COMMENTS)
        elif path.endswith("/check-runs"):
            self.answer(200, {"total_count": len(CHECK_RUNS), "check_runs": CHECK_RUNS})
        else:
            self.answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com"})

    def do_POST(self):
        body = self.body()
        if self.path.endswith("/comments"):
            comment = self.example("issue-comment")
            comment["id"] = len(COMMENTS) + 1
            comment["html_url"] = f"https://github.com/c/{comment['id']}"
            comment["body"] = body["body"]
            comment["user"]["login"], comment["user"]["type"] = "github-actions[bot]", "Bot"
            COMMENTS.append(comment)
            self.answer(201, comment)
        elif self.path.endswith("/check-runs"):
            run = self.example("check-run-example-of-completed-conclusion")
            run["id"] = len(CHECK_RUNS) + 1
            run["name"], run["head_sha"], run["external_id"] = body["name"], body["head_sha"], body["external_id"]
            run["conclusion"] = body["conclusion"]
            CHECK_RUNS.append(run)
            self.answer(201, run)
        else:
            self.answer(404, {"message": "Not Found", "documentation_url": "https://docs.github.com"})

    def do_PATCH(self):
        body = self.body()
        number = int(re.search(r"/(\d+)$", self.path).group(1))
        if "/comments/" in self.path:
            COMMENTS[number - 1]["body"] = body["body"]
            self.answer(200, COMMENTS[number - 1])
        else:
            self.answer(200, CHECK_RUNS[number - 1])

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    with open(sys.argv[2]) as file:
        Fake.examples = json.load(file)["components"]["examples"]
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Fake).serve_forever()
