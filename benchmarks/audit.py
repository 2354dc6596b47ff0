"""The audit against uv: both resolve the same trees from the same index, in turn.

The index is a recorded one on this machine that answers after a fixed time, or, with ``--live``,
the one that is configured. Needs uv (``pip install uv``).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import lzma
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "tests" / "data" / "trees.json.xz"
PLATFORM = "aarch64-manylinux_2_34"
# Trees that agree in every version that they share.
_LOCKED = ("api-with-data", "django", "mocks", "tools")
_LOCK_SIZE = 300
JSON_PAGE = "application/vnd.pypi.simple.v1+json"


class RecordedIndex:
    """Pages and metadata of the recorded trees, rendered once and kept compressed."""

    def __init__(self, document: Mapping[str, Any], latency: float) -> None:
        self._latency = latency
        self._answers: dict[str, tuple[str, bytes]] = {}
        self.requests = 0
        self.url = ""
        for project, rows in document["projects"].items():
            self._add(f"/simple/{project}/", JSON_PAGE, _page(project, rows))
        for project, versions in document["requires"].items():
            for version, told in versions.items():
                self._add(f"{project} {version}", "text/plain", _metadata(project, version, told))

    def _add(self, key: str, kind: str, body: bytes) -> None:
        self._answers[key] = (kind, gzip.compress(body, 6))

    def _find(self, path: str) -> tuple[str, bytes] | None:
        if path.endswith(".whl.metadata"):
            _, _, project, name = path.split("/")
            return self._answers.get(f"{project} {name.split('-')[1]}")
        return self._answers.get(path if path.endswith("/") else f"{path}/")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                await asyncio.sleep(self._latency)
                self.requests += 1
                found = self._find(path)
                kind, body = found if found is not None else ("text/plain", gzip.compress(b"no"))
                writer.write(
                    f"HTTP/1.1 {200 if found else 404} x\r\nContent-Type: {kind}\r\n"
                    f"Content-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                    + body
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve from a thread of its own."""
        loop = asyncio.new_event_loop()
        server = loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        )
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/simple"
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        yield
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def _page(project: str, rows: list[list[Any]]) -> bytes:
    files = [
        {
            "core-metadata": name.endswith(".whl"),
            "data-dist-info-metadata": name.endswith(".whl"),
            "filename": name,
            "hashes": {"sha256": hashlib.sha256(name.encode()).hexdigest()},
            "requires-python": requires or None,
            "size": size,
            "upload-time": "2025-01-01T00:00:00.000000Z",
            "url": f"/files/{project}/{name}",
            "yanked": bool(yanked),
        }
        for name, requires, yanked, size in rows
    ]
    return json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": files}).encode()


def _metadata(project: str, version: str, told: list[Any]) -> bytes:
    lines = ["Metadata-Version: 2.2", f"Name: {project}", f"Version: {version}"]
    lines += [f"Requires-Dist: {text}" for text in told[0]]
    return (
        "\n".join([*lines, *([f"Requires-Python: {told[1]}"] if told[1] else [])]) + "\n"
    ).encode()


class Contest:
    """Two commands on the same input, in turn; what counts is the quickest run of each."""

    def __init__(self, folder: Path, index: str, rounds: int) -> None:
        self._folder = folder
        self._rounds = rounds
        # A recorded index has no files to look into, and uv looks into none.
        self._contents = () if not index else ("--no-contents",)
        self._environment = {
            **os.environ,
            "XDG_CACHE_HOME": str(folder / "caches"),
            "UV_CACHE_DIR": str(folder / "uv-cache"),
            "UV_NO_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }
        # What is installed has its byte-code.
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)
        if index:
            # Both are asked to use this index and nothing else.
            self._environment |= {
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_INDEX_URL": index,
                "UV_DEFAULT_INDEX": index,
            }
            for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "no_proxy", "CI"):
                self._environment.pop(name, None)
            self._environment["NO_PROXY"] = "127.0.0.1"

    def forget(self) -> None:
        """Empty the caches of both."""
        for name in ("caches", "uv-cache"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def run(self, *command: str, codes: tuple[int, ...] = (0,)) -> float:
        """Seconds of one run."""
        began = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - began
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(command)}: {done.stderr[-2000:]}{done.stdout[-500:]}")
        return seconds

    def ours(self, path: str) -> float:
        return self.run(
            *(sys.executable, "-m", "pytest_arm64", "audit", path),
            *("--target", "al2023-python3.12", *self._contents),
            codes=(0, 1),  # ready or not: evaluated
        )

    def uv_compile(self, path: str) -> float:
        platform = ("--python-platform", PLATFORM, "--python-version", "3.12.99")
        return self.run("uv", "pip", "compile", "-q", *platform, path)

    def compare(
        self,
        name: str,
        ours: Callable[[], float],
        theirs: Callable[[], float],
        *,
        cold: tuple[bool, bool] = (True, True),
        limit: float,
    ) -> None:
        """Print the ratio of the quickest runs, and of the medians."""
        both: list[tuple[float, float]] = []
        for _ in range(self._rounds):
            times = []
            for run, is_cold in zip((ours, theirs), cold, strict=True):
                if is_cold:
                    self.forget()
                times.append(run())
            both.append((times[0], times[1]))
        here, there = zip(*both, strict=True)
        ratio, median = min(here) / min(there), statistics.median(here) / statistics.median(there)
        print(
            f"{name}: ours {min(here):.2f} s, uv {min(there):.2f} s, ratio {ratio:.2f} "
            f"(of medians {median:.2f}), to be at most {limit:.1f}: "
            f"{'yes' if ratio <= limit else 'NO'}",
            flush=True,
        )


def trees(document: Mapping[str, Any], latency: float, rounds: int) -> None:
    """A tree of 74 packages from nothing, and from our caches."""
    index = RecordedIndex(document, latency)
    text = "\n".join(document["trees"]["api-with-data"]["requirements"])
    with index.serving(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "requirements.txt").write_text(text, "utf-8")
        _compare_tree(Contest(folder, index.url, rounds), f"74 packages, {latency * 1000:.0f} ms")


def _compare_tree(contest: Contest, what: str) -> None:
    file = "requirements.txt"
    ours, uv = partial(contest.ours, file), partial(contest.uv_compile, file)
    contest.compare(f"{what}, from nothing", ours, uv, limit=1.0)
    ours()
    # uv begins from nothing in each round, which leaves our caches alone.
    contest.compare(
        f"{what}, from the disk cache",
        ours,
        lambda: _cold_uv(contest, uv),
        cold=(False, False),
        limit=0.6,
    )


def _cold_uv(contest: Contest, run: Callable[[], float]) -> float:
    shutil.rmtree(contest._folder / "uv-cache", ignore_errors=True)  # noqa: SLF001
    return run()


def lock(document: Mapping[str, Any], latency: float, rounds: int, python: str) -> None:
    """A ``uv.lock`` of 300 packages, read by us, made and checked by uv."""
    trees = [document["trees"][name] for name in _LOCKED]
    known = {name for tree in trees for name in tree["versions"]}
    filler = _made_up(_LOCK_SIZE - len(known))
    index = RecordedIndex(
        {key: {**document[key], **filler[key]} for key in ("projects", "requires")}, latency
    )
    with index.serving(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wanted = [r for tree in trees for r in tree["requirements"]] + [f"p{i}" for i in range(8)]
        # Only what was recorded can be asked for; made-up packages fill the lock.
        limits = [f"{n}=={v}" for tree in trees for n, v in tree["versions"].items()]
        project = (
            '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.12,<3.13"\n'
            f"dependencies = {json.dumps(wanted)}\n"
            "[tool.uv]\nenvironments = [\"platform_machine == 'aarch64' "
            "and sys_platform == 'linux'\"]\n"
            f"constraint-dependencies = {json.dumps(limits)}\n"
        )
        (folder / "pyproject.toml").write_text(project, "utf-8")
        contest = Contest(folder, index.url, rounds)
        asked = ("uv", "lock", "-q", "--python", python)
        contest.run(*asked)
        count = (folder / "uv.lock").read_text("utf-8").count("[[package]]") - 1
        ours = partial(contest.ours, "uv.lock")
        what = f"uv.lock of {count} packages, against uv making it from nothing"
        contest.compare(what, ours, lambda: contest.run(*asked, "--upgrade"), limit=0.3)
        what = f"uv.lock of {count} packages, against uv checking it with an empty cache"
        contest.compare(what, ours, lambda: contest.run(*asked, "--check"), limit=0.3)


def _made_up(count: int) -> dict[str, Any]:
    """Packages with twenty releases each: eight roots, and binary trees below them."""
    needs = {
        f"p{i}": [f"p{j}>=1.{i % 7}" for j in (2 * i + 8, 2 * i + 9) if j < count]
        for i in range(count)
    }
    return {
        "projects": {
            name: [[f"{name}-1.{j}-py3-none-any.whl", "", 0, 9] for j in range(20)]
            for name in needs
        },
        "requires": {
            name: {f"1.{j}": [wanted, ""] for j in range(20)} for name, wanted in needs.items()
        },
    }


def growth(latency: float, rounds: int) -> None:
    """Trees of made-up packages: the time of ours per package must not grow."""
    per_package = []
    for count in (50, 200, 500, 1000):
        document = _made_up(count)
        index = RecordedIndex(document, latency)
        with index.serving(), tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "requirements.txt").write_text("\n".join(f"p{i}" for i in range(8)), "utf-8")
            contest = Contest(folder, index.url, rounds)
            times = []
            for _ in range(rounds):
                contest.forget()
                times.append(contest.ours("requirements.txt"))
        per_package.append(min(times) / count)
        print(f"{count} packages: {min(times):.2f} s, {min(times) / count * 1000:.1f} ms each")
    print(f"1000 against 200, per package: {per_package[-1] / per_package[1]:.2f}")


def live(document: Mapping[str, Any], rounds: int) -> None:
    """The tree of 74 packages from the index that is configured here."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n".join(document["trees"]["api-with-data"]["requirements"])
        (folder / "requirements.txt").write_text(text, "utf-8")
        _compare_tree(Contest(folder, "", rounds), "74 packages, live")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", nargs="*", default=["tree", "lock", "growth"])
    parser.add_argument("--latency", type=float, default=30.0, help="milliseconds of each answer")
    parser.add_argument(
        "--python", default="python3.12", help="a Python 3.12, which uv wants for a lock"
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    document = json.loads(lzma.decompress(DATA.read_bytes()))
    latency = options.latency / 1000
    if "tree" in options.what:
        trees(document, latency, options.rounds)
    if "lock" in options.what:
        lock(document, latency, options.rounds, options.python)
    if "growth" in options.what:
        growth(latency, max(2, options.rounds // 2))
    if "live" in options.what:
        live(document, options.rounds)


if __name__ == "__main__":
    main()
