"""Runs one small project natively and mirrored, and compares everything that pytest leaves.

Both runs happen in the same folder, which is made anew for each, so that every path is the same.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

HERE = Path(__file__).parent
PYTEST_VERSION = tuple(int(part) for part in pytest.__version__.split(".")[:2])
CACHED = ("lastfailed", "nodeids", "stepwise")
TIMEOUT = 40
# A folder into which cases are written instead of being run, for whoever runs them elsewhere.
GATHER = os.environ.get("FIDELITY_GATHER", "")
SLOW = ("hypothesispytest", "fakefs")
PUBLISHED = {
    "pytest-asyncio": "asyncio",
    "pytest-cov": "pytest_cov",
    "pytest-html": "html",
    "pytest-metadata": "metadata",
    "pytest-mock": "pytest_mock",
    "pytest-randomly": "randomly",
    "pytest-rerunfailures": "rerunfailures",
    "pytest-subtests": "subtests",
    "pytest-timeout": "timeout",
}
"""Plugins that are tried as they are published: distribution and name of the plugin."""

# Variables that would make the two runs depend on where this suite itself runs.
_DROPPED = ("PYTEST_", "COV_", "CI", "BUILD_NUMBER", "TOX", "NOX", "VIRTUALENV")
_COLORS = ("FORCE_COLOR", "NO_COLOR", "PY_COLORS")
_TIME_ATTRIBUTES = ("time", "timestamp", "hostname")
_NORMAL = (
    (re.compile(r"(?m)^arm64: (?!compared ).*\n"), ""),  # but for what a failure says
    (re.compile(r" {0,99}\b\d{1,6}\.\d{1,9}(e-\d+)?(s|ms|us)( \(\d+:\d+:\d+\))?"), " TIME"),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d ago"), "AGE"),
    (re.compile(r"\b\d{1,6}\.\d{1,9} seconds"), "TIME"),
    (re.compile(r"(?m)=+ (.* in TIME.*?) =+$"), r"= \1 ="),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
)


@dataclass(frozen=True)
class Result:
    """What one run, or one after another, left behind."""

    codes: tuple[int, ...]
    texts: tuple[str, ...]
    junit: object
    cache: Mapping[str, object]
    files: tuple[str, ...]

    @property
    def code(self) -> int:
        return self.codes[-1]

    @property
    def text(self) -> str:
        return self.texts[-1]

    def summary(self) -> list[str]:
        """The short summary's lines and the last line of all, in their order."""
        words = ("FAILED ", "ERROR ", "SKIPPED ", "XFAIL ", "XPASS ", "PASSED ", "SUBFAILED")
        return [line for line in self.text.splitlines() if line.startswith((*words, "= "))]


@dataclass
class Case:
    """One project; ``native`` and ``mirrored`` run it, ``check`` does both and compares."""

    folder: Path
    files: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    module: bool = False
    launcher: tuple[str, ...] = ()
    """What starts pytest in place of its script, less pytest's arguments."""
    junit: bool = True
    stdin: str | None = None
    cwd: str = "."
    name: str = "project"
    plugins: tuple[str, ...] = ()
    """Installed plugins that are wanted; the others that are slow to load are left out."""
    site: Path | None = None
    """Folder of further packages, whose plugins are loaded by both sides as installed ones are."""

    def native(self, *lines: Sequence[str]) -> Result:
        """Run each of *lines*, arguments of one pytest, one after another."""
        return self._run(lines, ())

    def mirrored(self, *lines: Sequence[str]) -> Result:
        """The same with ``--arm64``."""
        return self._run(lines, ("--arm64",))

    def marked(self, *lines: Sequence[str]) -> Result:
        """The same with ``--arm64-marked``."""
        return self._run(lines, ("--arm64-marked",))

    def check(self, *lines: Sequence[str], text: bool = True) -> Result:
        """Run natively and mirrored; they must leave the same. *text*: the whole terminal."""
        lines = lines or ((),)
        native, mirrored = self.native(*lines), self.mirrored(*lines)
        for what in ("codes", "junit", "cache", "files", *(("texts",) if text else ())):
            here, there = getattr(native, what), getattr(mirrored, what)
            assert here == there, f"{what} differ" + difference(native, mirrored, what)
        assert mirrored.summary() == native.summary(), difference(native, mirrored, "texts")
        return mirrored

    def start(self, line: Sequence[str], *ours: str) -> subprocess.Popen[str]:
        """Start one pytest in the project's folder."""
        command = [sys.executable, "-m", "pytest"] if self.module else [_script()]
        command = list(self.launcher) or command
        junit = [f"--junitxml={self.folder / 'junit.xml'}"] if self.junit else []
        return subprocess.Popen(
            [*command, *ours, "-p", "local_place", *self._without(), *junit, *line],
            cwd=self.project / self.cwd,
            env=self._environment(),
            stdin=subprocess.PIPE if self.stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="backslashreplace",
        )

    @property
    def project(self) -> Path:
        return self.folder / self.name

    def write(self) -> None:
        """Make the project anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, content in self.files.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(content).lstrip("\n"), "utf-8")
        (self.project / self.cwd).mkdir(parents=True, exist_ok=True)
        (self.folder / "temporary").mkdir()

    def _run(self, lines: Iterable[Sequence[str]], ours: Sequence[str]) -> Result:
        self.write()
        if GATHER:
            content = json.dumps(self.files, sort_keys=True).encode()
            name = f"case_{hashlib.sha256(content).hexdigest()[:10]}"
            shutil.copytree(self.project, Path(GATHER, name), dirs_exist_ok=True)
            pytest.skip("gathered")
        codes, texts = [], []
        for line in lines:
            process = self.start(line, *ours)
            out, _ = process.communicate(self.stdin, timeout=TIMEOUT)
            codes.append(process.returncode)
            texts.append(normalised(out))
        return Result(tuple(codes), tuple(texts), self._junit(), self._cache(), self._files())

    def _without(self) -> list[str]:
        others = (*SLOW, *PUBLISHED.values()) if self.site is not None else SLOW
        return [f"-pno:{name}" for name in others if name not in self.plugins]

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith((*_DROPPED, *_COLORS))}
        environment = {
            **kept,
            "PYTHONPATH": os.pathsep.join(map(str, filter(None, (HERE, self.site)))),
            # Below a user's base they are third-party code to coverage.
            **({"PYTHONUSERBASE": str(self.site.parents[2])} if self.site else {}),
            "PYTHONUNBUFFERED": "1",
            "PYTHONHASHSEED": "0",
            "COLUMNS": "100",
            "PYTEST_DEBUG_TEMPROOT": str(self.folder / "temporary"),
            **self.environment,
        }
        # The host keeps the project out of its own path; inside, everything is there.
        return {**environment, "LOCAL_PYTHONPATH": environment["PYTHONPATH"]}

    def _junit(self) -> object:
        path = self.folder / "junit.xml"
        return _tree(ElementTree.parse(path).getroot()) if path.exists() else None

    def _cache(self) -> dict[str, object]:
        folder = self.project / ".pytest_cache/v/cache"
        return {
            name: _undated(json.loads((folder / name).read_text("utf-8")))
            for name in CACHED
            if (folder / name).exists()
        }

    def _files(self) -> tuple[str, ...]:
        """Everything that lies in the project now, but for byte-code."""
        found = (path.relative_to(self.project) for path in self.project.rglob("*"))
        return tuple(sorted(str(p) for p in found if "__pycache__" not in p.parts))


def _undated(value: object) -> object:
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if k != "last_cache_date_str"}
    return value


def difference(here: Result, there: Result, what: str) -> str:
    """Two results, line by line."""
    lines = [
        _shown(getattr(side, name))
        for name in dict.fromkeys((what, "texts"))
        for side in (here, there)
    ]
    found = ""
    for native, mirrored in zip(lines[::2], lines[1::2], strict=True):
        if sum(map(len, native)) < 100_000:
            found += "\n" + "\n".join(
                difflib.unified_diff(native, mirrored, "natively", "mirrored", lineterm="")
            )
    return found


def _shown(value: object) -> list[str]:
    if isinstance(value, tuple) and all(isinstance(text, str) for text in value):
        return "\n".join(value).splitlines()
    return json.dumps(value, indent=1, ensure_ascii=False).splitlines()


def normalised(text: str) -> str:
    """*text* without times, addresses and the lines of this project's own."""
    for pattern, replacement in _NORMAL:
        text = pattern.sub(replacement, text)
    return text


def _tree(element: ElementTree.Element) -> object:
    attributes = {k: normalised(v) for k, v in element.attrib.items() if k not in _TIME_ATTRIBUTES}
    text = normalised((element.text or "").strip())
    return (element.tag, attributes, text, [_tree(child) for child in element])


def outcomes(junit: Path) -> object:
    """Counts, and test cases with their kinds of outcome: what no interpreter decides."""
    root = ElementTree.parse(junit).getroot()
    blank = dict.fromkeys(_TIME_ATTRIBUTES, "")
    suites = [{**suite.attrib, **blank} for suite in root.iter("testsuite")]
    cases = [({**case.attrib, **blank}, [c.tag for c in case]) for case in root.iter("testcase")]
    return suites, cases


def _script() -> str:
    return str(Path(sys.executable).parent / "pytest")


MakeCase = Callable[..., Case]
