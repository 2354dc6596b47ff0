"""What unit tests share: small makers of the product's values, and an engine that is played."""

from __future__ import annotations

import io
import json
import os
import re
import socketserver
import subprocess
import sys
import tarfile
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from hypothesis import strategies as st

from pytest_arm64.config.cell import Cell, ImageFacts, Python
from pytest_arm64.config.option_values import Given
from pytest_arm64.config.project import Project, load_project
from pytest_arm64.config.settings import Settings
from pytest_arm64.config.targets import shipped_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pytest_arm64.errors import Arm64Error

AL2023 = shipped_targets()["al2023-python3.12"]

PYTHON = Python(
    executable="/usr/bin/python3.12",
    version="3.12.4",
    minor="3.12",
    cache_tag="cpython-312",
    magic="cb0d0d0a",
    purelib="lib/python3.12/site-packages",
    library="/usr/lib64/python3.12",
    compiled=True,
)

RAN = ImageFacts(
    image="amazonlinux:2023",
    image_id="sha256:" + "1" * 64,
    digest="sha256:" + "2" * 64,
    machine="aarch64",
    os="amzn 2023",
    os_name="Amazon Linux 2023",
    glibc="2.34",
    libstdcxx="3.4.29",
    python=PYTHON,
    page_size=4096,
    engine_machine="x86_64",
    core="graviton2 (qemu neoverse-n1)",
)

CELL = Cell(target=AL2023, architecture="arm64", core="graviton2", image=AL2023.reference)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
"""Whatever may stand in a JSON document."""


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write *files* by relative path below *folder*."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def settings_of(
    folder: Path,
    pyproject: str = "",
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> Settings:
    """Settings that a run in *folder* has with this ``pyproject.toml``."""
    return project_of(folder, pyproject, environ, **options).settings


def project_of(
    folder: Path,
    pyproject: str = "",
    environ: Mapping[str, str] | None = None,
    **options: Any,
) -> Project:
    """The project of a run in *folder* with this ``pyproject.toml``, read now."""
    folder.mkdir(parents=True, exist_ok=True)
    if pyproject:
        write(folder, {"pyproject.toml": pyproject})
    given = Given(**{name.removeprefix("arm64_"): value for name, value in options.items()})
    return load_project(given, environ or {}, rootpath=folder, cwd=folder)


def ran(**changes: Any) -> ImageFacts:
    """Facts of an ordinary AL2023 image, but for *changes*; those of Python go by ``python_…``."""
    inner = {k[7:]: changes.pop(k) for k in list(changes) if k.startswith("python_")}
    return replace(RAN, python=replace(PYTHON, **inner), **changes)


_HOOKED: set[str] = set()
_OPENED: list[Counter[str]] = []
"""What counts opened files now; the interpreter never forgets a hook."""


def _opened(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _OPENED and isinstance(arguments[0], (str, bytes)):
        for counter in _OPENED:
            counter[os.fsdecode(arguments[0])] += 1


@contextmanager
def reads_of(name: str) -> Iterator[Counter[str]]:
    """How often files called *name* are opened in this process, by path."""
    if "hook" not in _HOOKED:
        sys.addaudithook(_opened)
        _HOOKED.add("hook")
    opened: Counter[str] = Counter()
    reads: Counter[str] = Counter()
    _OPENED.append(opened)
    try:
        yield reads
    finally:
        _OPENED.remove(opened)
        reads.update({p: n for p, n in opened.items() if p.rpartition("/")[2] == name})


def unpacked(chunks: bytes | Iterator[bytes]) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Members of a tar by name, with their content."""
    data = chunks if isinstance(chunks, bytes) else b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        found = {}
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            found[member.name] = (member, stream.read() if stream else b"")
        return found


# Not ru_maxrss: across exec, Linux keeps the peak of the process that started this one.
_PEAK = """
try:
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak)
"""


def peak_memory(code: str, *arguments: str) -> tuple[str, int]:
    """What ``code`` prints in a Python of its own, and the most memory (bytes) that it took."""
    child = subprocess.run(
        [sys.executable, "-c", code + _PEAK, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    printed, _, peak = child.stdout.strip().rpartition("\n")
    return printed, int(peak) << 10


def is_plain_text(error: Arm64Error) -> bool:
    """Whether a user can read it: one sentence first, no traceback, no object's address."""
    text = str(error)
    return bool(error.what) and "Traceback" not in text and " object at 0x" not in text


E = TypeVar("E", bound=Exception)
T = TypeVar("T")


def attempt(kind: type[E], call: Callable[[], T]) -> T | E:
    """What *call* gives, or its error of *kind*; any other error fails the test."""
    try:
        return call()
    except kind as error:
        return error


Answer = tuple[int, Any]


@dataclass
class PlayedEngine:
    """An HTTP server on a Unix socket that answers as it is told, and remembers requests."""

    path: str
    answers: dict[str, Answer] = field(default_factory=dict)
    """Status and JSON body by ``METHOD /path``, version prefix and query left out."""
    requests: list[tuple[str, str, dict[str, list[str]]]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    stuck: threading.Event = field(default_factory=threading.Event)
    """Until it is set, a request that is to be answered by status 0 waits."""

    def seen(self, method: str) -> list[tuple[str, dict[str, list[str]]]]:
        with self.changed:
            return [(path, query) for kind, path, query in self.requests if kind == method]

    def wait_for(self, method: str, count: int, seconds: float = 10.0) -> bool:
        """Whether *count* requests of *method* come before the time is over."""
        with self.changed:
            return self.changed.wait_for(
                lambda: sum(kind == method for kind, _, _ in self.requests) >= count, seconds
            )


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    engine: PlayedEngine

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed while it was answered is what some tests are about."""


class EngineHandler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def address_string(self) -> str:
        return "unix"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def _answer(self) -> None:
        engine = self.server.engine
        parts = urlsplit(self.path)
        path = parts.path
        path = re.sub(r"^/v[\d.]+/", "/", path)
        with engine.changed:
            engine.requests.append((self.command, path, parse_qs(parts.query)))
            status, body = engine.answers.get(
                f"{self.command} {path}", (404, {"message": f"no {path}"})
            )
            engine.changed.notify_all()
        if status == 0:
            engine.stuck.wait()
            return
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if self.command == "POST" and status == 200:
            # As an engine tells of a pull: docker-py reads events of chunked answers only.
            self.send_header("Transfer-Encoding", "chunked")
            content = b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815


@contextmanager
def played_engine(path: Path, answers: Mapping[str, Answer]) -> Iterator[PlayedEngine]:
    """A played engine that listens at *path*."""
    with _Server(str(path), EngineHandler) as server:
        server.engine = PlayedEngine(str(path), dict(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.engine
        finally:
            server.shutdown()
            thread.join()
