"""Why an installation, a build or an import failed: a class, the decisive lines, and a fix.

The texts that are recognised are rows of ``resources/failures.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import chain
from typing import NamedTuple

from ..binary.fixes import library_fix, version_fix
from ..config._toml import loads
from ..config.system_packages import settings_line
from ..errors import BuildError, OverdueBuildError, OverdueCommandError
from ..index.addresses import scrubbed

MISSING_WHEEL = "missing-wheel"
MISSING_LIBRARY = "missing-system-library"
COMPILER = "compiler"
ABI_MISMATCH = "abi-mismatch"
WRONG_ARCHITECTURE = "wrong-architecture"
MEMORY = "out-of-memory"
RESOLUTION = "resolution"
NETWORK = "network"
HASH = "hash"
DISK = "disk-full"
RUNTIME = "runtime-difference"
BUILD = "build"
TIMEOUT = "timeout"

_OF_BUILDER = ("program", "header", "library", "module")
_SHOWN_ERRORS = 12
_SHOWN_LAST = 6
_DETAILS = 6
# Logs come from strangers: no pattern sees a line or a log without an end.
_MAXIMUM_LINE = 1000
_MAXIMUM_LOG = 2**20
_MANAGERS = {"dnf": "dnf", "lambda-dnf": "dnf", "lambda-zip": "dnf", "apt": "apt"}


@dataclass(frozen=True)
class Failure:
    """One reason, recognised."""

    kind: str
    text: str
    fix: str
    packages: tuple[str, ...] = ()
    """Packages of the system that the builder lacks, where they are known."""


@dataclass(frozen=True)
class Tools:
    """What fixes are written for."""

    manager: str = ""
    """``Target.manager``."""
    python: str = ""
    """Minor of its Python."""

    def at_build_time(self, name: str, kind: str) -> str:
        """How *name*, a program, header, library or module, comes into the builder."""
        manager = _MANAGERS.get(self.manager)
        if manager is None:
            return f"at build time: install the package that has the {kind} {name} in the builder"
        packages = self.packages(name, kind)
        if packages:
            return build_fix(packages)
        return f"{build_fix(['PACKAGE'])} (which one: {_search(name, kind, manager)})"

    def packages(self, name: str, kind: str) -> list[str]:
        """The packages that bring *name* into the builder; none where no table lists it."""
        named = _table("programs" if kind == "program" else "development").get(name, {})
        words = named.get(_MANAGERS.get(self.manager, ""), "")
        return words.format(python=self.python or "3").split()


def build_fix(packages: Iterable[str]) -> str:
    """How *packages* come into the builder."""
    return f"at build time: {settings_line(packages)}"


def _search(name: str, kind: str, manager: str) -> str:
    """How to find the package with *name*, which no table lists: the target may have none."""
    if kind == "module":
        return f"dnf provides 'pkgconfig({name})'" if manager == "dnf" else _apt(f"{name}.pc")
    return f"dnf provides '*/{name}'" if manager == "dnf" else _apt(name)


def _apt(name: str) -> str:
    return f"apt-file search {name}"


class FailurePattern(NamedTuple):
    """One pattern of ``resources/failures.toml``."""

    kind: str
    expression: re.Pattern[str]
    name: str
    """What the text and the fix name, where the pattern has no group."""
    text: str
    missing: str
    """What kind of thing is missing; empty where ``fix`` says what to do."""
    fix: str
    matches: str
    other: str

    def failure(self, match: re.Match[str], tools: Tools) -> Failure:
        """The failure that *match* shows."""
        name = next((group for group in match.groups() if group), self.name).rstrip(":")
        if self.missing == "program":
            # Distributions call it aarch64-linux-gnu-gcc.
            name = _program(name)
        elif self.missing == "shared-library":
            name = name.rpartition("/")[2]
        fix = self._fix(name, tools) if self.missing else self.fix.format(name=name)
        packages = tools.packages(name, self.missing) if self.missing in _OF_BUILDER else []
        return Failure(self.kind, self.text.format(name=name), fix, tuple(packages))

    def _fix(self, name: str, tools: Tools) -> str:
        if self.missing == "shared-library":
            return library_fix(name, tools.manager)
        if self.missing == "symbol-version":
            return version_fix(name)
        return tools.at_build_time(name, self.missing)


def _program(name: str) -> str:
    base = name.rpartition("/")[2]
    return base if base in _table("programs") else base.rpartition("-")[2]


@cache
def _document() -> Mapping[str, object]:
    path = resources.files("pytest_arm64.resources").joinpath("failures.toml")
    return loads(path.read_text("utf-8"))


@cache
def _table(name: str) -> Mapping[str, Mapping[str, str]]:
    rows = _document()[name]
    assert isinstance(rows, dict)
    return rows


@cache
def failure_patterns() -> tuple[FailurePattern, ...]:
    """Every failure that is recognised, the most decisive first."""
    listed = _document()["failure"]
    assert isinstance(listed, list)
    programs = "|".join(sorted(map(re.escape, _table("programs")), key=len, reverse=True))
    return tuple(
        FailurePattern(
            kind=row["class"],
            expression=re.compile(row["pattern"].replace("%PROGRAM%", f"(?:{programs})")),
            name=row.get("name", ""),
            text=row["text"],
            missing=row.get("missing", ""),
            fix=row.get("fix", ""),
            matches=row["matches"],
            other=row["other"],
        )
        for row in listed
    )


def classify(log: str, tools: Tools) -> list[Failure]:
    """Everything in *log* that is recognised, the most decisive first; each thing once."""
    failures: dict[tuple[str, str], Failure] = {}
    for pattern, _, match in _recognised(log):
        failure = pattern.failure(match, tools)
        failures.setdefault((failure.kind, failure.text), failure)
    return list(failures.values())


@lru_cache(maxsize=1)  # the same log is classified and shown
def _recognised(log: str) -> tuple[tuple[FailurePattern, int, re.Match[str]], ...]:
    """Each match in *log* with its pattern and the number of its line, by the order of patterns."""
    lines = _lines(log)
    return tuple(
        (pattern, number, match)
        for pattern in failure_patterns()
        for number, line in enumerate(lines)
        for match in pattern.expression.finditer(line)
    )


def _lines(log: str) -> list[str]:
    """Lines that say something, without ends that are too long, the first and the last of many."""
    if len(log) > _MAXIMUM_LOG:
        log = log[: _MAXIMUM_LOG // 4] + "\n" + log[-3 * _MAXIMUM_LOG // 4 :]
    lines = (scrubbed(line[:_MAXIMUM_LINE]).rstrip() for line in log.splitlines())
    return list(dict.fromkeys(line for line in lines if line and not _NOISE.match(line)))


def decisive_lines(log: str) -> list[str]:
    """The few lines of *log* that somebody who looks for the reason would read.

    First those that are recognised, then those that look like errors, each with the indented
    lines that explain it; last the end of the log.
    """
    lines = _lines(log)
    recognised = [number for _, number, _ in _recognised(log)]
    errors = (number for number, line in enumerate(lines) if _ERROR.search(line))
    chosen: dict[int, None] = {}
    for number in (*recognised[:_SHOWN_ERRORS], *errors):
        for shown in (*_heading(lines, number), number, *_details(lines, number)):
            if len(chosen) < _SHOWN_ERRORS:
                chosen.setdefault(shown)
    return list(dict.fromkeys([*(lines[n] for n in sorted(chosen)), *lines[-_SHOWN_LAST:]]))


def _heading(lines: list[str], number: int) -> Iterator[int]:
    """The error of CMake that line *number* explains."""
    if number and not _ERROR.search(lines[number]) and "CMake Error" in lines[number - 1]:
        yield number - 1


def _details(lines: list[str], number: int) -> Iterator[int]:
    """Lines that explain the one *number*: CMake writes the reason below the place."""
    if "CMake Error" not in lines[number]:
        return
    indent = _indent(lines[number])
    for other in range(number + 1, min(number + 1 + _DETAILS, len(lines))):
        if _indent(lines[other]) <= indent:
            return
        yield other


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def build_failure(
    package: str, version: str, log: str, tools: Tools | None = None, *, seconds: float = 0.0
) -> BuildError:
    """The error of a build, with its reasons and fixes as far as they are recognised."""
    failures = classify(log, tools or Tools())
    lines = [line.strip() for line in decisive_lines(log)]
    shown = "\n".join(f"    {line}" for line in lines)
    kinds = tuple(dict.fromkeys(failure.kind for failure in failures)) or (BUILD,)
    return BuildError(
        package,
        version,
        what=f"{package} {version} could not be built ({', '.join(kinds)}):\n{shown}",
        kinds=kinds,
        excerpt="\n".join(lines),
        seconds=seconds,
        why="it has no wheel for this target, so it has to be compiled"
        if kinds != (NETWORK,)
        else "a build has no network, unless you allow it",
        next_step=next_step_for(failures),
        log=log,
    )


def overdue_build(
    package: str, version: str, error: OverdueCommandError, seconds: float
) -> OverdueBuildError:
    """The error of a build that was ended, because it took longer than *seconds*."""
    lines = [line.strip() for line in _lines(error.log)[-_SHOWN_ERRORS:]]
    shown = "".join(f"\n    {line}" for line in lines)
    label = f"{package} {version}".rstrip()
    return OverdueBuildError(
        package,
        version,
        what=f"{label} was not built within {seconds:g} s ({TIMEOUT}); the end of its log:{shown}",
        kinds=(TIMEOUT,),
        excerpt="\n".join(lines),
        seconds=seconds,
        why="--arm64-build-timeout, or build-timeout in the settings, limits each build",
        next_step="give it longer; compile at the speed of the host: --arm64-cross auto; or pin a "
        "release with a wheel",
        log=error.log,
    )


def next_step_for(failures: Sequence[Failure]) -> str:
    """Their fixes, each once; of packages for the builder one line of the settings has all."""
    merged = build_fix(chain.from_iterable(failure.packages for failure in failures))
    fixes = (merged if failure.packages else failure.fix for failure in failures)
    return "; ".join(dict.fromkeys(fixes))


def import_failure(message: str, tools: Tools, *, wrong_machine: bool = False) -> Failure | None:
    """Why a compiled module could not be loaded, by its error's text; None if that says nothing.

    *wrong_machine* says that the file itself is for another machine, which the loader words as
    if it were not there.
    """
    if wrong_machine:
        return Failure(
            WRONG_ARCHITECTURE, message, "install a build for this machine, or build it from source"
        )
    return next(iter(classify(message, tools)), None)


_NOISE = re.compile(
    r"\s*(WARNING: Location|Looking in (indexes|links)|\[notice\]"
    r"|error: subprocess-exited-with-error|note: This error originates from a subprocess"
    r"|note: This is an issue with the package|\[end of output\])"
)
_ERROR = re.compile(
    r"(?i)\b(fatal |syntax)?error(\[\w+\])?:|\w(Error|Exception|Unavailable): |CMake Error"
    r"|undefined reference|cannot find -l|\bnot found\b|No such file|Unknown compiler|^\s*× "
    r"|Could not|No matching|^\s*FAILED:"
)
