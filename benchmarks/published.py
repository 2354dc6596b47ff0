"""Suites of others as they are published, run bare on x86 and with `pytest --arm64`: what differs?

The suites are those of `published.toml`. Each source distribution is unpacked twice, so that what
one side builds is not there for the other. The bare side is `pytest` in a virtual environment with
the project and what its tests need; a project's code runs on this machine for it, as it would for
its authors. The results stay in the folder, so that a run that was ended goes on where it was.

    eval "$(scripts/engine env)"; python benchmarks/published.py FOLDER [attrs click …]
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from pytest_arm64.index.fetch import Deadline
from pytest_arm64.index.index import Index, Sources
from pytest_arm64.index.pip_config import host_pip_config

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Side = Literal["x86", "arm64"]
SIDES: tuple[Side, ...] = ("x86", "arm64")
Outcomes = Mapping[str, Counter[str]]
"""How often a test had which outcome: a name may be there more than once."""

ROOT = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".toml")
REQUIREMENTS = "requirements-test.txt"
_MAXIMUM_SDIST = 64 << 20
_LONGEST_RUN = 1800.0


@dataclass(frozen=True)
class Suite:
    """One published suite, and what is known of it."""

    name: str
    version: str
    kind: str
    """What makes it unlike the others."""
    requires: tuple[str, ...] = ()
    """What its tests import besides pytest and the project."""
    arguments: tuple[str, ...] = ()
    """Arguments of pytest on both sides; without any, all that the project collects."""
    bare: tuple[str, ...] = ("-e", ".")
    """What the bare side installs as the project."""
    plugins: tuple[str, ...] = ()
    """Plugins that `addopts` names with `-p`: the session on the host loads them, too."""
    part: str = ""
    """What is left out, and why, where it is not the whole suite."""
    differences: Mapping[str, str] | None = None
    """Why tests differ that do not by our fault, by a pattern of their names."""

    def why(self, test: str) -> str:
        """The known reason why *test* differs; empty if no reason is known."""
        known = self.differences or {}
        return next((why for pattern, why in known.items() if fnmatchcase(test, pattern)), "")


@dataclass(frozen=True)
class Run:
    """One side of a suite."""

    code: int
    seconds: float
    outcomes: Outcomes


@dataclass(frozen=True)
class Comparison:
    """What both sides of one suite had."""

    tests: int
    equal: int
    different: tuple[tuple[str, str, str], ...]
    """Test, outcomes on x86, outcomes on ARM64."""


def read_suites(path: Path = LIST) -> tuple[Suite, ...]:
    """The suites of a list, in its order."""
    document = tomllib.loads(path.read_text("utf-8"))
    return tuple(
        Suite(
            name,
            entry["version"],
            entry["kind"],
            tuple(entry.get("requires", ())),
            tuple(entry.get("arguments", ())),
            tuple(entry.get("bare", Suite.bare)),
            tuple(entry.get("plugins", ())),
            entry.get("part", ""),
            entry.get("differences"),
        )
        for name, entry in document.items()
    )


def sdist(suite: Suite) -> bytes:
    """The source distribution, as its index and its hash say; nothing of it is run."""
    index = Index(Sources.of_host(host_pip_config()), Deadline(120))
    try:
        files = index.page(suite.name).releases[Version(suite.version)]
        (file,) = (file for file in files if file.name.endswith(".tar.gz"))
        content = index.fetcher.get(file.url, limit=_MAXIMUM_SDIST).body
    finally:
        index.close()
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise ValueError(f"{file.name} is not the file that the index lists")
    return content


def unpack(suite: Suite, folder: Path) -> Path:
    """The project's folder below *folder*, with the requirements of its tests."""
    shutil.rmtree(folder, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(sdist(suite))) as archive:
        archive.extractall(folder, filter="data")
    (project,) = (path for path in folder.iterdir() if path.is_dir())
    lines = list(suite.requires)
    if "pytest" not in {Requirement(line).name for line in lines}:
        lines.append(f"pytest=={pytest.__version__}")
    (project / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return project


def command(suite: Suite, side: Side, project: Path) -> list[str]:
    """The command that runs pytest on *side*, in a virtual environment where one is needed."""
    if side == "x86":
        return [environment(project, *suite.bare, "-r", REQUIREMENTS), "-m", "pytest"]
    python = sys.executable
    if suite.plugins:
        python = environment(project, str(ROOT), f"pytest=={pytest.__version__}", *suite.plugins)
    return [python, "-m", "pytest", "--arm64", "--arm64-cpu", "graviton2"]


def environment(project: Path, *requirements: str) -> str:
    """The Python of a new virtual environment beside *project*."""
    folder = project.parent / "venv"
    python = str(folder / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [python, "-m", "pip", "install", "--quiet", *requirements]
    subprocess.run(install, cwd=project, check=True)
    return python


def run(suite: Suite, side: Side, folder: Path) -> None:
    """Run one side; what it printed, its JUnit file and its exit code go into *folder*."""
    project = unpack(suite, folder / side)
    pytest_command = command(suite, side, project)
    report = folder / f"{side}.xml"
    report.unlink(missing_ok=True)
    options = [f"--junitxml={report}", "-o", "junit_family=xunit1", "-o", "junit_logging=no", "-ra"]
    began = time.perf_counter()
    with (folder / f"{side}.txt").open("w") as output:
        finished = subprocess.run(
            [*pytest_command, *options, *suite.arguments],
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=_LONGEST_RUN,
            check=False,
        )
    seconds = round(time.perf_counter() - began, 1)
    result = {"code": finished.returncode, "seconds": seconds}
    (folder / f"{side}.json").write_text(json.dumps(result))


def read_run(folder: Path, side: Side) -> Run | None:
    """What a finished side had; None where it did not run."""
    path, report = folder / f"{side}.json", folder / f"{side}.xml"
    if not path.exists():
        return None
    result = json.loads(path.read_text())
    outcomes = read_outcomes(report.read_text("utf-8")) if report.exists() else {}
    return Run(result["code"], result["seconds"], outcomes)


def read_outcomes(junit: str) -> dict[str, Counter[str]]:
    """Outcomes by test of a JUnit file of the family xunit1."""
    outcomes: dict[str, Counter[str]] = {}
    for case in ElementTree.fromstring(junit).iter("testcase"):
        test = "::".join(filter(None, map(case.get, ("file", "classname", "name"))))
        outcomes.setdefault(test, Counter())[_outcome(case)] += 1
    return outcomes


def _outcome(case: ElementTree.Element) -> str:
    kinds = [
        "xfailed" if child.get("type") == "pytest.xfail" else child.tag
        for child in case
        if child.tag in ("failure", "error", "skipped")
    ]
    return "+".join(kinds) or "passed"


def compare(x86: Outcomes, arm64: Outcomes) -> Comparison:
    """Hold the outcomes of both sides against each other, test by test."""
    tests = sorted({*x86, *arm64})
    different = tuple(
        (test, _shown(x86.get(test)), _shown(arm64.get(test)))
        for test in tests
        if x86.get(test) != arm64.get(test)
    )
    count = sum(max(_total(x86.get(test)), _total(arm64.get(test))) for test in tests)
    return Comparison(count, count - len(different), different)


def _total(counts: Counter[str] | None) -> int:
    return sum((counts or Counter()).values())


def _shown(counts: Counter[str] | None) -> str:
    parts = [f"{n} {kind}" if n > 1 else kind for kind, n in sorted((counts or {}).items())]
    return ", ".join(parts) or "missing"


def table(suites: Sequence[Suite], folder: Path) -> Iterator[str]:
    """A Markdown table of what ran on both sides; below it, each unexplained difference."""
    yield "| suite | version | what | tests | equal | differences | x86 | ARM64, emulated |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    unexplained: list[str] = []
    for suite in suites:
        x86, arm64 = (read_run(folder / suite.name, side) for side in SIDES)
        if x86 is None or arm64 is None:
            continue
        compared = compare(x86.outcomes, arm64.outcomes)
        reasons = Counter(suite.why(test) for test, _, _ in compared.different)
        unexplained += [
            f"{suite.name}: {test}: x86 {here}, ARM64 {there}"
            for test, here, there in compared.different
            if not suite.why(test)
        ]
        if not compared.tests:
            unexplained.append(f"{suite.name}: nothing ran")
        why = "; ".join(f"{n}: {reason or 'UNEXPLAINED'}" for reason, n in reasons.items())
        what = f"{suite.kind}; {suite.part}" if suite.part else suite.kind
        yield (
            f"| {suite.name} | {suite.version} | {what} | {compared.tests} | {compared.equal} "
            f"| {why or 'none'} | {x86.seconds:.0f} s | {arm64.seconds:.0f} s |"
        )
    yield from ["", *unexplained] if unexplained else []


def main() -> None:
    suites = read_suites()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where to work; outside of every repository")
    parser.add_argument("names", nargs="*", metavar="NAME", help="suites; by default all")
    parser.add_argument("--side", choices=SIDES, action="append", help="by default both")
    parser.add_argument("--again", action="store_true", help="run what ran before, too")
    parser.add_argument("--table", action="store_true", help="run nothing")
    chosen = parser.parse_intermixed_args()
    folder = chosen.folder.resolve()
    wanted = [suite for suite in suites if suite.name in chosen.names or not chosen.names]
    for suite in wanted if not chosen.table else ():
        place = folder / suite.name
        place.mkdir(parents=True, exist_ok=True)
        for side in chosen.side or SIDES:
            if chosen.again or not (place / f"{side}.json").exists():
                run(suite, side, place)
    print("\n".join(table(wanted, folder)))


if __name__ == "__main__":
    main()
