"""``arm64-baseline.json``: what a repository has accepted, so that only what is worse fails."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from ..advisories.database import KnownDefect
from ..audit.matrix import STATES, Row, WheelMatrix
from ..config.service_names import REPOSITORY
from ..config.services import Services
from ..errors import SettingsError
from ..inside.regular_file import read_regular
from ..open_folder import write_inside

NAME = "arm64-baseline.json"
_MEND = f"correct or remove {NAME}, then: pytest-arm64 audit --write-baseline"
FORMAT = 1
ADVISORY = "advisory:"
"""How the names of findings on known defects begin; a package and an id follow."""
Key = tuple[str, str, str, str]
"""Service, target, scope, package."""


@dataclass(frozen=True)
class Accepted:
    """What was found beyond the packages when the baseline was written."""

    state: str
    grade: str = ""
    """Of the evidence that a verdict rested on; empty where none is told."""


@dataclass(frozen=True)
class Baseline:
    """State and version of each package at the time when the baseline was written."""

    packages: Mapping[Key, tuple[str, str]] = field(default_factory=dict)
    findings: Mapping[tuple[str, str, str], Accepted] = field(default_factory=dict)
    """By service, target and name."""

    def finding(self, service: str, target: str, name: str) -> Accepted | None:
        """What was accepted under *name*; None where it was not there."""
        return self.findings.get((service, target, name))

    def state(self, matrix: WheelMatrix, package: str) -> str | None:
        """The state that *package* had; None where it was not there."""
        found = self.packages.get((matrix.service, matrix.target, "deploy", package))
        return found[0] if found is not None else None

    def version(self, matrix: WheelMatrix, package: str) -> str:
        """The version that *package* had."""
        found = self.packages.get((matrix.service, matrix.target, "deploy", package))
        return found[1] if found is not None else ""


def grave_defects(matrix: WheelMatrix) -> Iterator[tuple[str, Row, KnownDefect]]:
    """Known defects of deployed packages that are findings: by name, with row and advisory."""
    for row in matrix.deployed:
        for defect in row.advisories:
            if defect.grave:
                yield f"{ADVISORY}{row.name}:{defect.id}", row, defect


def read_baseline(root: Path, services: Services | None = None) -> Baseline | None:
    """The baseline of the repository at *root*; None where it has none.

    What it says of ``repository`` is about the project itself, by the name that it has among
    *services*.

    Raises:
        SettingsError: it cannot be read.
    """
    path = root / NAME
    try:
        data = json.loads(read_regular(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}",
            why="new and accepted findings cannot be distinguished",
            next_step=_MEND,
        ) from None
    own = services.named(REPOSITORY) if services is not None else None
    names = {REPOSITORY: own.name} if own is not None else {}
    try:
        return Baseline(
            dict(_entry(entry, names) for entry in _entries(data, "packages")),
            dict(_finding(entry, names) for entry in _entries(data, "findings")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{path} is not a valid baseline: {error}",
            next_step=_MEND,
        ) from None


def write_baseline(
    root: Path,
    matrices: Iterable[WheelMatrix],
    *,
    services: Services | None = None,
    findings: Mapping[tuple[str, str, str], Accepted] | None = None,
    observed: Mapping[str, Mapping[str, str]] | None = None,
) -> Path:
    """Keep what *matrices* found; what the baseline says of other services and targets stays.

    Args:
        root: the repository.
        matrices: what was predicted.
        services: those of the project. Where only its folder names the project, the baseline
            calls it ``repository``, so that it holds in every checkout.
        findings: what was found beyond it by service, target and name; None keeps what is there.
        observed: states by service and package as they were found where that was installed.

    Raises:
        SettingsError: a matrix is incomplete, or the file cannot be written.
    """
    audited = list(matrices)
    for matrix in audited:
        if not matrix.complete:
            raise SettingsError(
                f"the matrix of {matrix.service} on {matrix.target} is incomplete",
                why="with an incomplete baseline, regressions would go unnoticed",
                next_step="pytest-arm64 audit shows what is unknown",
            )
    judged = {(matrix.service, matrix.target) for matrix in audited}
    earlier = read_baseline(root, services) or Baseline()
    own = services.named(REPOSITORY) if services is not None else None
    renamed = {own.name: REPOSITORY} if own is not None and own.of_folder else {}
    packages = {key: value for key, value in earlier.packages.items() if key[:2] not in judged}
    for matrix in audited:
        states = (observed or {}).get(matrix.service, {})
        for row in matrix.deployed:
            key = (matrix.service, matrix.target, row.scope, row.name)
            packages[key] = (states.get(row.name, row.state), row.version)
    stays = findings is None
    accepted = {
        key: value
        for key, value in earlier.findings.items()
        if key[:2] not in judged or (stays and not key[2].startswith(ADVISORY))
    }
    accepted |= findings or {}
    accepted |= {
        (matrix.service, matrix.target, name): Accepted(defect.effect)
        for matrix in audited
        for name, _, defect in grave_defects(matrix)
    }
    content: dict[str, Any] = {
        "format": FORMAT,
        "packages": [
            {
                "service": renamed.get(service, service),
                "target": target,
                "scope": scope,
                "package": package,
                "version": version,
                "state": state,
            }
            for (service, target, scope, package), (state, version) in sorted(packages.items())
        ],
    }
    if accepted:
        content["findings"] = [
            {
                "service": renamed.get(service, service),
                "target": target,
                "finding": name,
                "state": entry.state,
            }
            | ({"grade": entry.grade} if entry.grade else {})
            for (service, target, name), entry in sorted(accepted.items(), key=itemgetter(0))
        ]
    path = root / NAME
    try:
        write_inside(root, path, (json.dumps(content, indent=1) + "\n").encode())
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _entries(data: Any, name: str) -> list[Any]:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    entries = data["packages"] if name == "packages" else data.get(name, [])
    if not isinstance(entries, list):
        raise TypeError(f"{name} is not a list")
    return entries


def _entry(entry: Any, names: Mapping[str, str]) -> tuple[Key, tuple[str, str]]:
    values = [entry[key] for key in ("service", "target", "scope", "package", "state", "version")]
    if not all(isinstance(value, str) for value in values) or values[4] not in STATES:
        raise ValueError(f"{str(entry)[:120]} is not a finding")
    service, target, scope, package, state, version = values
    return (names.get(service, service), target, scope, package), (state, version)


def _finding(entry: Any, names: Mapping[str, str]) -> tuple[tuple[str, str, str], Accepted]:
    values = [entry[key] for key in ("service", "target", "finding", "state")]
    values.append(entry.get("grade", ""))
    if not all(isinstance(value, str) for value in values):
        raise ValueError(f"{str(entry)[:120]} is not a finding")
    service, target, name, state, grade = values
    return (names.get(service, service), target, name), Accepted(state, grade)
