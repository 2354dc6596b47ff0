"""Gathers for the report what tests of all cells showed besides passing."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..decide.evidence import ServiceEvidence, TestOutcome
from ..decide.runtime import GoldenResult, HotSpot, HotSpots, Picture
from ..inside.golden.pictures import FOLDER, KINDS
from ..inside.golden.report_property import told_by
from ..inside.golden.verdict import GoldenVerdict
from ..inside.measure.profile_record import Profile, merged
from ..inside.measure.record import PROPERTY as MEASURED
from ..inside.measure.record import Measured
from ..inside.ran import Ran
from ..mirror.transport import Transport
from ..temporary import temporary_folder
from .measurements import measured_below
from .profiles import profiles_below
from .unseen_session import CellResult

if TYPE_CHECKING:
    from .host import HostPlugin
    from .part_session import NestedRun

MOST_VALUES = 200
"""Values of one service that are told one by one, the worst first."""
MOST_PICTURE = 1 << 20
MOST_PICTURES = 16 << 20
"""Bytes of one picture, and of all pictures of a report: a page is opened in a browser."""
_MOST_FUNCTIONS = 25
_LONGEST = 4000
_PNG = b"\x89PNG\r\n\x1a\n"
_RANKS = {verdict.value: verdict.rank for verdict in GoldenVerdict}


class EvidenceCollector:
    """Registered where ``--arm64-report`` is given."""

    def __init__(self, host: HostPlugin) -> None:
        self._host = host
        self._now = _Shown()
        self._parts: dict[str, _Shown] = {}
        self._room = MOST_PICTURES

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            for told in told_by(report.user_properties):
                differing = (v for v in told.values if v["class"] != GoldenVerdict.IDENTICAL.value)
                self._now.golden[report.nodeid] = tuple(differing)
        for name, value in report.user_properties if report.when == "call" else ():
            if name == MEASURED:
                self._now.measure(_measured(value))

    def pytest_arm64_cell(self, result: CellResult) -> None:
        self._now.measure(one.short() for one in measured_below(result.out))
        self._now.profiles += profiles_below(result.out)

    def pytest_arm64_finished(self, config: pytest.Config, mirrored: Transport) -> None:
        run, now = self._host.current, self._now
        if run is None:
            return
        # What comes next is of the next part of the run.
        self._parts[run.part.name], self._now = now, _Shown()
        names = [name for values in now.golden.values() for v in values for name in _named(v)]
        if not names and not config.option.arm64_profile:
            return
        with temporary_folder() as folder:
            mirrored.fetch(folder)
            pictures = dict(_read_pictures(folder / FOLDER, names, self._room))
            self._room -= sum(map(len, pictures.values()))
            now.pictures = {
                name: base64.b64encode(data).decode() for name, data in pictures.items()
            }
            now.profiles = merged([*now.profiles, *profiles_below(folder)])

    def add_to(
        self,
        evidence: ServiceEvidence,
        run: NestedRun,
        tests: Collection[TestOutcome],
        *,
        alone: bool,
    ) -> ServiceEvidence:
        """*evidence* with what *tests*, its own, have shown.

        Args:
            evidence: of one service.
            run: the part of the run that they belong to.
            tests: its tests in the mirrored cell.
            alone: whether that part ran tests of no other service: a profile is of all of them.
        """
        shown = self._parts.get(run.part.name)
        if shown is None:
            return evidence
        mine = {test.nodeid for test in tests}
        where = run.place.ran.place
        values = [value for nodeid in mine for value in shown.goldens(nodeid, where)]
        values.sort(key=lambda v: (v.ok, -_RANKS.get(v.label, 0), v.test, v.name))
        measured = (record for record in shown.measured.values() if record.test in mine)
        if run.session is not None:
            evidence = run.code.add_to(evidence, run.session.mirror, run.place.ran, tests)
        return replace(
            evidence,
            goldens=tuple(values[:MOST_VALUES]),
            measured=tuple(sorted(measured, key=lambda record: (record.test, str(record.where)))),
            profiles=tuple(map(hot_spots, shown.profiles)) if alone else (),
        )


@dataclass
class _Shown:
    """What the tests of one part of the run have shown."""

    golden: dict[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)
    measured: dict[tuple[str, Ran], Measured] = field(default_factory=dict)
    profiles: list[Profile] = field(default_factory=list)
    pictures: dict[str, str] = field(default_factory=dict)

    def measure(self, records: Iterable[Measured]) -> None:
        self.measured |= {(record.test, record.where): record for record in records}

    def goldens(self, nodeid: str, where: Ran) -> Iterator[GoldenResult]:
        for value in self.golden.get(nodeid, ()):
            files = {name.rpartition("-")[2].partition(".")[0]: name for name in _named(value)}
            pictures = [
                Picture(kind, self.pictures[files[kind]])
                for kind in KINDS
                if files.get(kind) in self.pictures
            ]
            ulp = value.get("ulp")
            yield GoldenResult(
                test=nodeid,
                name=str(value["name"]),
                label=str(value["class"]),
                ok=value["ok"] is True,
                where=where,
                text=str(value.get("text", ""))[:_LONGEST],
                ulp=ulp if type(ulp) is int else None,
                pictures=tuple(pictures),
            )


def hot_spots(profile: Profile) -> HotSpots:
    """The costliest functions of *profile*."""
    ordered = sorted(profile.functions.items(), key=lambda item: -item[1].seconds)
    return HotSpots(
        profile.where,
        profile.tool,
        profile.seconds,
        tuple(
            HotSpot(function.file, function.line, function.name, spent.seconds, spent.calls)
            for function, spent in ordered[:_MOST_FUNCTIONS]
        ),
    )


def _measured(text: object) -> Iterator[Measured]:
    try:
        yield Measured.decode(str(text))
    except ValueError:
        return  # a property of somebody else's


def _named(value: Mapping[str, object]) -> list[str]:
    names = value.get("pictures")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _read_pictures(folder: Path, names: Iterable[str], room: int) -> Iterator[tuple[str, bytes]]:
    """PNG files of *folder* by name; what is too large, or has no *room*, is left out."""
    for name in dict.fromkeys(names):
        path = folder / name
        if path.parent != folder or not path.is_file() or path.stat().st_size > MOST_PICTURE:
            continue
        data = path.read_bytes()
        if len(data) <= room and data.startswith(_PNG):
            room -= len(data)
            yield name, data
