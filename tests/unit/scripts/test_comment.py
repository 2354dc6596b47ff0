"""The action's comment on a pull request, against a server that keeps comments as GitHub does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from unit.scripts.test_workflows import ACTION, script

MARKER = "<!-- pytest-arm64 -->"
PAGE = 2
"""Comments on one page."""
GH = f"""#!{sys.executable}
import json, os, subprocess, sys, urllib.request

words = sys.argv[1:]
assert words.pop(0) == "api", words
options, path = {{}}, ""
while words:
    word = words.pop(0)
    if word in ("--method", "--jq", "--field"):
        options[word] = words.pop(0)
    elif word.startswith("--"):
        options[word] = True
    else:
        path = word
data = None
if "--field" in options:
    name, _, value = options["--field"].partition("=@")
    data = json.dumps({{name: open(value, encoding="utf-8").read()}}).encode()
url = f"{{os.environ['API']}}/{{path}}"
while url:
    request = urllib.request.Request(url, data, method=options.get("--method", "GET"))
    with urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(request) as answer:
        body, link = answer.read().decode(), answer.headers.get("Link", "")
    if "--jq" in options:
        subprocess.run(["jq", "-r", options["--jq"]], input=body, text=True, check=True)
    url = link[1:].partition(">")[0] if "--paginate" in options else ""
"""


class _GitHub(BaseHTTPRequestHandler):
    """Lists comments in pages, adds one, and changes one."""

    comments: list[dict[str, object]]

    def do_GET(self) -> None:
        path, _, page = self.path.partition("?page=")
        assert path == "/repos/a/b/issues/3/comments"
        number = int(page or 1)
        shown = self.comments[PAGE * (number - 1) : PAGE * number]
        more = len(self.comments) > PAGE * number
        host = f"http://{self.headers['Host']}"
        self._answer(shown, f'<{host}{path}?page={number + 1}>; rel="next"' if more else "")

    def do_POST(self) -> None:
        assert self.path == "/repos/a/b/issues/3/comments"
        self.comments.append(comment(len(self.comments), "Bot", self._body()))
        self._answer(self.comments[-1])

    def do_PATCH(self) -> None:
        number = int(self.path.removeprefix("/repos/a/b/issues/comments/"))
        self.comments[number]["body"] = self._body()
        self._answer(self.comments[number])

    def _body(self) -> str:
        text = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(text)["body"]
        assert isinstance(body, str)
        return body

    def _answer(self, value: object, link: str = "") -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def comment(number: int, kind: str, body: str) -> dict[str, object]:
    return {"id": number, "user": {"type": kind}, "body": body}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    _GitHub.comments = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _GitHub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run_step(folder: Path, github: ThreadingHTTPServer, report: str) -> None:
    """The step of the action, where the report is *report*."""
    (folder / "report.txt").write_text(report)
    programs = {"gh": GH, "pytest-arm64": f"#!/bin/sh\ncat '{folder}/report.txt'\n"}
    for name, text in programs.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script(ACTION, "GH_TOKEN")],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "API": f"http://127.0.0.1:{github.server_address[1]}",
            "RUNNER_TEMP": str(folder),
            "REPORT": "out",
            "REPOSITORY": "a/b",
            "NUMBER": "3",
        },
        check=True,
    )


def bodies() -> list[object]:
    return [entry["body"] for entry in _GitHub.comments]


def test_the_first_run_adds_a_comment_and_the_next_ones_change_it(
    tmp_path: Path, github: ThreadingHTTPServer
) -> None:
    run_step(tmp_path, github, "1 of 3 services\n")
    assert bodies() == [f"{MARKER}\n1 of 3 services\n"]
    for text in ("2 of 3 services\n", '3 of 3 services | ü $(x) \\ "\n'):
        run_step(tmp_path, github, text)
        assert bodies() == [f"{MARKER}\n{text}"]


def test_the_comment_is_found_on_a_later_page_and_nobody_elses_is_touched(
    tmp_path: Path, github: ThreadingHTTPServer
) -> None:
    others = [
        comment(0, "User", "please look"),
        comment(1, "User", f"{MARKER}\nwritten by a person"),
        comment(2, "Bot", "coverage is 93 %"),
        comment(3, "Bot", f"quotes {MARKER}"),
    ]
    _GitHub.comments = [*others, comment(4, "Bot", f"{MARKER}\nold")]
    before = bodies()[:4]
    run_step(tmp_path, github, "new\n")
    assert bodies() == [*before, f"{MARKER}\nnew\n"]


def test_of_two_comments_of_ours_the_first_is_changed(
    tmp_path: Path, github: ThreadingHTTPServer
) -> None:
    _GitHub.comments = [comment(n, "Bot", f"{MARKER}\n{n}") for n in range(PAGE + 1)]
    run_step(tmp_path, github, "new\n")
    assert bodies() == [f"{MARKER}\nnew\n", f"{MARKER}\n1", f"{MARKER}\n2"]
