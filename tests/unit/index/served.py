"""A package index that is played: pages as data, over HTTP as JSON or HTML, or as folders."""

from __future__ import annotations

import functools
import hashlib
import html
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pytest_arm64.audit.auditor import Auditor
from pytest_arm64.audit.matrix import WheelMatrix
from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.index.pip_config import PipConfig
from pytest_arm64.inputs.service import read_service
from unit.support import write

PAGES = Path(__file__).with_name("pages")
JSON_TYPE = "application/vnd.pypi.simple.v1+json"
Answer = tuple[int, Mapping[str, str], bytes]


@dataclass
class Project:
    """What an index has of one project."""

    files: list[tuple[str, str, bool]] = field(default_factory=list)
    """Name, ``requires-python``, yanked."""
    requires: dict[str, list[str]] = field(default_factory=dict)
    """Requirements by version."""
    unreliable: list[str] = field(default_factory=list)
    """Versions whose source distribution has old metadata."""


def recorded(name: str) -> Project:
    """*name* as an index had it when it was recorded."""
    data = json.loads((PAGES / f"{name}.json").read_text("utf-8"))
    files = [(f, r, y) for f, r, y in data["files"]]
    return Project(files, data["requires"], data.get("unreliable", []))


def all_recorded() -> dict[str, Project]:
    return {path.stem: recorded(path.stem) for path in sorted(PAGES.glob("*.json"))}


def release(
    name: str, version: str, *tags: str, requires: Sequence[str] = (), sdist: bool = False
) -> Project:
    """One release with a wheel for each of *tags*."""
    stem = name.replace("-", "_")
    files = [(f"{stem}-{version}-{tag}.whl", "", False) for tag in tags]
    if sdist:
        files.append((f"{stem}-{version}.tar.gz", "", False))
    return Project(files, {version: list(requires)})


def joined(*projects: Project) -> Project:
    """Several releases of one project."""
    found = Project()
    for project in projects:
        found.files += project.files
        found.requires.update(project.requires)
        found.unreliable += project.unreliable
    return found


def metadata(
    name: str, version: str, requires: Sequence[str] = (), *, edition: str = "2.2", extra: str = ""
) -> bytes:
    lines = [f"Metadata-Version: {edition}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + f"\n{extra}\nA text.\n").encode()


def wheel(name: str, version: str, requires: Sequence[str] = (), *, padding: int = 0) -> bytes:
    """A wheel's bytes; *padding* bytes that do not compress stand before its metadata."""
    buffer = io.BytesIO()
    stem = name.replace("-", "_")
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{stem}/data.bin", b"\x01" * padding)
        info = f"{stem}-{version}.dist-info/METADATA"
        archive.writestr(info, metadata(name, version, requires))
    return buffer.getvalue()


def sdist(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    *,
    edition: str = "2.2",
    extra: str = "",
    files: Mapping[str, bytes] | None = None,
) -> bytes:
    """A source distribution's bytes."""
    buffer = io.BytesIO()
    content = metadata(name, version, requires, edition=edition, extra=extra)
    members = {**(files or {}), "PKG-INFO": content}
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for path, data in members.items():
            info = tarfile.TarInfo(f"{name}-{version}/{path}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@dataclass
class Played:
    """What the server answers, and what it was asked."""

    projects: Mapping[str, Project]
    html: bool = False
    core_metadata: bool = True
    ranges: bool = True
    answers: dict[str, Answer | None] = field(default_factory=dict)
    """By path, before anything else; None never answers."""
    files: dict[str, bytes] = field(default_factory=dict)
    """By file name, instead of what would be made up."""
    dripping: set[str] = field(default_factory=set)
    """Paths whose answer comes byte by byte, without end."""
    credentials: str = ""
    """The ``Authorization`` without which everything is 401."""
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def asked(self, part: str = "") -> list[str]:
        return [path for path, _ in self.requests if part in path]

    def page(self, name: str) -> tuple[str, bytes]:
        project = self.projects[name]
        if self.html:
            return "text/html", self._html(project)
        files = [
            {
                "filename": file,
                "url": f"../../files/{name}/{file}",
                "hashes": {"sha256": self.digest(name, file)} if file in self.files else {},
                "requires-python": requires or None,
                "yanked": yanked,
                "core-metadata": self.core_metadata and file.endswith(".whl"),
            }
            for file, requires, yanked in project.files
        ]
        return JSON_TYPE, json.dumps({"meta": {"api-version": "1.1"}, "files": files}).encode()

    def _html(self, project: Project) -> bytes:
        name = next(n for n, p in self.projects.items() if p is project)
        lines = ["<!DOCTYPE html><html><body>"]
        for file, requires, yanked in project.files:
            marks = f' data-requires-python="{html.escape(requires)}"' if requires else ""
            marks += ' data-yanked=""' if yanked else ""
            marks += ' data-core-metadata="true"' if self.core_metadata else ""
            lines.append(f'<a href="../../files/{name}/{file}"{marks}>{file}</a><br>')
        return "\n".join(lines).encode()

    def digest(self, name: str, file: str) -> str:
        return hashlib.sha256(self.content(name, file)).hexdigest()

    def content(self, name: str, file: str) -> bytes:
        if file in self.files:
            return self.files[file]
        project = self.projects[name]
        version = file.split("-")[1] if file.endswith(".whl") else file[len(name) + 1 : -7]
        requires = project.requires.get(version, [])
        if file.endswith(".whl"):
            return wheel(name, version, requires)
        edition = "2.1" if version in project.unreliable else "2.2"
        return sdist(name, version, requires, edition=edition)

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer | None:
        if path in self.answers:
            return self.answers[path]
        if self.credentials and headers.get("Authorization") != self.credentials:
            return 401, {}, b"who are you?"
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and parts[1] in self.projects:
            kind, body = self.page(parts[1])
            tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if headers.get("If-None-Match") == tag:
                return 304, {"ETag": tag}, b""
            return 200, {"Content-Type": kind, "ETag": tag}, body
        if parts[0] == "files" and parts[2].endswith(".metadata"):
            if not self.core_metadata:
                return 404, {}, b""
            with zipfile.ZipFile(io.BytesIO(self.content(parts[1], parts[2][:-9]))) as archive:
                name = next(n for n in archive.namelist() if n.endswith("/METADATA"))
                return 200, {}, archive.read(name)
        if parts[0] == "files":
            return self._file(self.content(parts[1], parts[2]), headers.get("Range", ""))
        return 404, {}, b"no"

    def _file(self, content: bytes, extent: str) -> Answer:
        if not extent or not self.ranges:
            return 200, {}, content
        first, _, last = extent.removeprefix("bytes=").partition("-")
        start = int(first) if first else max(0, len(content) - int(last))
        end = min(int(last), len(content) - 1) if first else len(content) - 1
        shown = f"bytes {start}-{end}/{len(content)}"
        return 206, {"Content-Range": shown}, content[start : end + 1]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    played: Played

    def __init__(self, *arguments: Any, played: Played) -> None:
        self.played = played
        super().__init__(*arguments)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", JSON_TYPE)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        while not self.played.closing.wait(0.05):
            self.wfile.write(b" ")
        self.close_connection = True

    def do_GET(self) -> None:
        headers = dict(self.headers.items())
        self.played.requests.append((self.path, headers))
        if self.path in self.played.dripping:
            self._drip()
            return
        answer = self.played.answer(self.path, headers)
        if answer is None:
            self.played.closing.wait(20)
            self.close_connection = True
            return
        status, extra, body = answer
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients go away in the middle: that is what some tests are about."""


@contextmanager
def serve(projects: Mapping[str, Project], **how: Any) -> Iterator[Played]:
    """An index with *projects* at ``played.url``."""
    played = Played(projects, **how)
    with _Server(("127.0.0.1", 0), functools.partial(_Handler, played=played)) as server:
        played.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield played
        finally:
            played.closing.set()
            server.shutdown()
            thread.join()


def matrix_of(
    folder: Path,
    requirements: str,
    index: str,
    *,
    target: str = "al2023-python3.12",
    settings: Mapping[str, str] | None = None,
    keyring: str = "",
    **options: Any,
) -> WheelMatrix:
    """The matrix of a requirement file with this text, against the index at this address."""
    write(folder, {"requirements.txt": requirements})
    config = PipConfig({"index-url": index, **(settings or {})}, {}, (), keyring=keyring)
    environ = options.pop("environ", {"NETRC": str(folder / "no-netrc")})
    service = read_service(folder / "requirements.txt", environ)
    with Auditor(environ, config=config, **options) as auditor:
        return auditor.matrix(service, shipped_targets()[target])


def matrix_of_folder(
    folder: Path,
    files: Mapping[str, str | bytes],
    index: str,
    *,
    target: str = "al2023-python3.12",
    path: str = ".",
    settings: Mapping[str, str] | None = None,
    **how: Any,
) -> WheelMatrix:
    """The matrix of the service at *path* below *folder*, which gets *files*."""
    write(folder, files)
    config = PipConfig({"index-url": index, **(settings or {})}, {}, ())
    environ = {"NETRC": str(folder / "no-netrc")}
    service = read_service(folder / path, environ, root=folder, **how)
    with Auditor(environ, config=config) as auditor:
        return auditor.matrix(service, shipped_targets()[target])
