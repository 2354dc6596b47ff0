"""The report: the evidence on every service, and what follows from it; ``report.json``."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from .. import __version__
from ..audit.matrix import STATES, Row, WheelMatrix
from ..config.suggestions import file_suggestion
from ..decide.backlog import WorkItem, backlog
from ..decide.evidence import ServiceEvidence, grade_words, weakest
from ..decide.verdict import Verdict, decide
from ..errors import ReportError
from ..inside.golden.pictures import KINDS as PICTURES
from ..inside.measure.hotspots import CALLS, SAMPLES
from ..inside.regular_file import read_regular
from ..open_folder import OpenFolder
from ..records import Layout, decode, encode, parse
from .earlier_formats import completed

FORMAT = 1
NAME = "report.json"
PAGE, MARKDOWN = "report.html", "report.md"
SCHEMA = "report-1.schema.json"
OUTCOMES = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
_MAX_BYTES = 512 * 2**20
_PNG = re.compile(r"iVBORw0KGg[A-Za-z0-9+/]*={0,2}")
"""The base64 of a PNG file, all of it."""


@dataclass(frozen=True)
class Headline:
    """The answer in numbers."""

    JSON: ClassVar[Layout] = Layout(computed=("text", "spend"))

    services: int
    compatible: int
    cost: float
    """US dollars a month of all services whose cost is known."""
    compatible_cost: float
    without_cost: int
    """Services whose cost nobody said: they are in no sum of money."""
    grade: str
    """Of the weakest verdict that is counted as compatible."""
    stand_in: bool
    grades: tuple[str, ...] = ()
    """Of the compatible ones, each grade with how many have it, where there are several."""
    beside: tuple[str, ...] = ()
    """The services of each group, counted on their own: ``back end: 1 of 1 (native)``."""

    @property
    def text(self) -> str:
        """The headline in words, with the grade of its evidence."""
        noun = "service" if self.services == 1 else "services"
        head = f"{self.compatible} of {self.services} {noun} compatible with ARM64"
        if self.compatible:
            words = grade_words(self.grade, stand_in=self.stand_in)
            head += f" ({'; '.join(self.grades) or words})"
        return head

    @property
    def line(self) -> str:
        """Everything in one line."""
        beside = [f"besides: {', '.join(self.beside)}"] if self.beside else []
        return "; ".join([self.text, *beside, *([self.spend] if self.spend else [])])

    @property
    def spend(self) -> str:
        """The same by money; empty where no cost is known."""
        if not self.cost:
            return ""
        share = 100 * self.compatible_cost / self.cost
        text = f"${self.compatible_cost:,.0f} of ${self.cost:,.0f} a month ({share:.0f} %)"
        if self.without_cost:
            text += f", {self.without_cost} without a configured cost"
        return text


@dataclass(frozen=True)
class Tool:
    """What wrote a report."""

    JSON: ClassVar[Layout] = Layout(computed=("name",))
    name: ClassVar[str] = "pytest-arm64"

    version: str = __version__


def in_words(targets: Iterable[str]) -> str:
    """The name of the one target; of several, all of them."""
    return ", ".join(dict.fromkeys(targets))


@dataclass(frozen=True)
class Report:
    """What one run, or several together, found."""

    target: str
    """Its name; of several, all names, of which each service has one."""
    made_at: str
    """ISO 8601, UTC. Verdicts are of that day: boundaries and evidence age."""
    services: tuple[ServiceEvidence, ...]
    notes: tuple[str, ...] = ()
    """What a reader has to know of the report as a whole."""
    tool: Tool = Tool()
    incomplete: str = ""
    """Why the run as a whole did not come to its end; empty where it did."""

    @property
    def day(self) -> date:
        return datetime.fromisoformat(self.made_at).date()

    def target_of(self, service: ServiceEvidence) -> str:
        """What *service* is deployed on."""
        return service.target or self.target

    @property
    def has_several_targets(self) -> bool:
        """Whether not all services are deployed on the same one."""
        return len({self.target_of(service) for service in self.services}) > 1

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        return tuple(decide(service, self.day) for service in self.services)

    @property
    def lines(self) -> list[str]:
        """One for each service, with its target where there are several."""
        several = self.has_several_targets
        return [
            f"{verdict.service}{f' on {self.target_of(service)}' if several else ''}: "
            f"{verdict.label}"
            for service, verdict in zip(self.services, self.verdicts, strict=True)
        ]

    @cached_property
    def backlog(self) -> tuple[WorkItem, ...]:
        return backlog(self.services, self.verdicts, self.day)

    @cached_property
    def headline(self) -> Headline:
        groups: dict[str, list[Verdict]] = {}
        for service, verdict in zip(self.services, self.verdicts, strict=True):
            groups.setdefault(service.group, []).append(verdict)
        counted = groups.pop("", None)
        good = [v for v in (self.verdicts if counted is None else counted) if v.compatible]
        cost = {s.name: s.monthly_cost for s in self.services}
        grades = _grades(good)
        return Headline(
            services=len(self.services) if counted is None else len(counted),
            compatible=len(good),
            cost=math.fsum(c for c in cost.values() if c is not None),
            compatible_cost=math.fsum(
                cost[v.service] or 0.0 for v in self.verdicts if v.compatible
            ),
            without_cost=sum(c is None for c in cost.values()),
            grade=weakest(tuple(v.grade for v in good)),
            stand_in=any(v.stand_in for v in good),
            grades=tuple(f"{n} {words}" for words, n in grades) if len(grades) > 1 else (),
            beside=tuple(_group_words(name, verdicts) for name, verdicts in groups.items()),
        )

    def to_json(self) -> dict[str, object]:
        """Ready for ``json.dumps``; its schema is ``resources/report-1.schema.json``."""
        return {
            "format": FORMAT,
            "tool": encode(self.tool),
            "made_at": self.made_at,
            "target": self.target,
            "headline": encode(self.headline),
            "services": [
                {
                    **encode(service),
                    "verdict": encode(verdict),
                }
                for service, verdict in zip(self.services, self.verdicts, strict=True)
            ],
            "backlog": encode(self.backlog),
            "notes": encode(self.notes),
            "incomplete": encode(self.incomplete),
        }

    @classmethod
    def from_json(cls, data: object) -> Report:
        """The report that ``to_json`` gave; verdicts are made anew from the evidence.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        report = decode(cls, completed(data), FORMAT)
        _check(report)
        return report


def _grades(verdicts: Iterable[Verdict]) -> list[tuple[str, int]]:
    found = Counter(grade_words(v.grade, stand_in=v.stand_in) for v in verdicts)
    return found.most_common()


def _group_words(name: str, verdicts: Sequence[Verdict]) -> str:
    good = [v for v in verdicts if v.compatible]
    grades = "; ".join(words for words, _ in _grades(good))
    return f"{name}: {len(good)} of {len(verdicts)}" + (f" ({grades})" if grades else "")


def _check(report: Report) -> None:
    """What types alone do not say.

    Raises:
        ValueError: a word that does not exist, a time that is none, a name twice.
    """
    datetime.fromisoformat(report.made_at)
    names = [service.name for service in report.services]
    if len(set(names)) != len(names):
        raise ValueError("a service is in it twice")
    for service in report.services:
        cost = service.monthly_cost
        if cost is not None and not (math.isfinite(cost) and cost >= 0):
            raise ValueError(f"{service.name}: a cost of {cost}")
        states = [row.state for row in _rows(service.matrix)]
        states += [package.state for install in service.installs for package in install.packages]
        if unknown := set(states) - set(STATES):
            raise ValueError(f"{service.name}: no such state: {sorted(unknown)[0]!r}")
        outcomes = {test.outcome for run in service.runs for test in run.tests}
        if unknown := outcomes - set(OUTCOMES):
            raise ValueError(f"{service.name}: no such outcome: {sorted(unknown)[0]!r}")
        _check_runtime(service)


def _check_runtime(service: ServiceEvidence) -> None:
    for value in service.goldens:
        for picture in value.pictures:
            if picture.kind not in PICTURES or not _PNG.fullmatch(picture.png):
                raise ValueError(f"{service.name}: {value.name}: a picture is not a valid PNG")
    for profile in service.profiles:
        times = [profile.seconds, *(spot.seconds for spot in profile.functions)]
        if profile.tool not in (SAMPLES, CALLS) or not all(0 <= time < 1e9 for time in times):
            raise ValueError(f"{service.name}: a profile is not valid")


def _rows(matrix: WheelMatrix | None) -> Sequence[Row]:
    return matrix.packages if matrix is not None else ()


def read_report(path: Path) -> Report:
    """The report at *path*, a file or the folder that ``--arm64-report`` named.

    Raises:
        ReportError: it cannot be read, or is none.
    """
    file = path / NAME if path.is_dir() else path
    try:
        return Report.from_json(parse(read_regular(file, _MAX_BYTES).decode("utf-8")))
    except OSError as error:
        raise ReportError(
            f"{file} cannot be read: {error.strerror}{file_suggestion(path)}",
            next_step="pytest --arm64 --arm64-report DIR writes one",
        ) from None
    except ValueError as error:
        raise ReportError(
            f"{file} is not a valid report: {error}",
            next_step="create it again: pytest --arm64 --arm64-report DIR",
        ) from None


def write_report(report: Report, folder: Path | OpenFolder) -> Path:
    """Write ``report.json`` into *folder*, whole or not at all, and through no link.

    The page and the Markdown of an earlier report there are removed: they would speak for it.

    Raises:
        ReportError: it cannot be written.
    """
    text = json.dumps(report.to_json(), indent=1, sort_keys=True) + "\n"
    content = text.encode("utf-8", "backslashreplace")
    try:
        if isinstance(folder, OpenFolder):
            return _written(folder, content)
        with OpenFolder(folder) as opened:
            return _written(opened, content)
    except OSError as error:
        path = (folder.path if isinstance(folder, OpenFolder) else folder) / NAME
        raise ReportError(
            f"{path} cannot be written: {error.strerror}",
            next_step="name another folder",
        ) from None


def _written(folder: OpenFolder, content: bytes) -> Path:
    stale = (PAGE, MARKDOWN) if (folder.path / NAME).exists() else ()
    path = folder.write(NAME, content)
    for name in stale:
        folder.remove(name)
    return path
