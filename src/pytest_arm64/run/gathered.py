"""Gathers for the report what tests of all cells showed besides passing."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ..decide.evidence import ServiceEvidence, TestOutcome
from ..decide.runtime import GoldenResult, HotSpot, HotSpots, Picture
from ..fixtures.golden import PROPERTY as GOLDEN
from ..golden.pictures import FOLDER, KINDS
from ..golden.verdict import Verdict
from ..measure.profile_record import Profile
from ..measure.record import PROPERTY as MEASURED
from ..measure.record import MalformedRecordError, Measured, Where
from .measurements import measured_below
from .silent import CellResult
from .transport import Transport

MOST_VALUES = 200
"""Values of one service that are told one by one, the worst first."""
MOST_PICTURE = 1 << 20
MOST_PICTURES = 16 << 20
"""Bytes of one picture, and of all pictures of a report: a page is opened in a browser."""
_MOST_FUNCTIONS = 25
_LONGEST = 4000
_PNG = b"\x89PNG\r\n\x1a\n"
_RANKS = {verdict.value: verdict.rank for verdict in Verdict}


class Gathered:
    """Registered where ``--arm64-report`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._golden: dict[str, tuple[Mapping[str, Any], ...]] = {}
        self._measured: dict[tuple[str, Where], Measured] = {}
        self._pictures: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == GOLDEN and report.when == "teardown":
                self._golden[report.nodeid] = tuple(_values(value))
            elif name == MEASURED and report.when == "call":
                self._take(_measured(value))

    def pytest_arm64_cell(self, result: CellResult) -> None:
        self._take(one.short() for one in measured_below(result.out))

    def pytest_arm64_finished(self, mirrored: Transport) -> None:
        names = [name for values in self._golden.values() for v in values for name in _named(v)]
        if not names:
            return
        with tempfile.TemporaryDirectory(prefix="pytest-arm64-") as folder:
            mirrored.fetch(Path(folder))
            self._pictures = dict(_read_pictures(Path(folder, FOLDER), names))

    def add_to(
        self, evidence: ServiceEvidence, tests: Iterable[TestOutcome], *, alone: bool
    ) -> ServiceEvidence:
        """*evidence* with what *tests*, its own, have shown.

        Args:
            evidence: of one service.
            tests: its tests in the mirrored cell.
            alone: whether the session ran tests of no other service: a profile is of all of them.
        """
        mine = {test.nodeid for test in tests}
        values = [value for nodeid in mine for value in self._golden_of(nodeid)]
        values.sort(key=lambda v: (v.ok, -_RANKS.get(v.label, 0), v.test, v.name))
        measured = (one for one in self._measured.values() if one.test in mine)
        return replace(
            evidence,
            goldens=tuple(values[:MOST_VALUES]),
            measured=tuple(sorted(measured, key=lambda one: (one.test, str(one.where)))),
            profiles=tuple(self._profiles()) if alone else (),
        )

    def _take(self, found: Iterable[Measured]) -> None:
        self._measured |= {(one.test, one.where): one for one in found}

    def _golden_of(self, nodeid: str) -> Iterator[GoldenResult]:
        for value in self._golden.get(nodeid, ()):
            found = {name.rpartition("-")[2].partition(".")[0]: name for name in _named(value)}
            pictures = [
                Picture(kind, self._pictures[found[kind]])
                for kind in KINDS
                if found.get(kind) in self._pictures
            ]
            ulp = value.get("ulp")
            yield GoldenResult(
                test=nodeid,
                name=str(value["name"]),
                label=str(value["class"]),
                ok=value["ok"] is True,
                where=self._where(),
                text=str(value.get("text", ""))[:_LONGEST],
                ulp=ulp if type(ulp) is int else None,
                pictures=tuple(pictures),
            )

    def _where(self) -> Where:
        host: Any = self._config.pluginmanager.getplugin("arm64-host")
        return Where.of(host.place.facts)

    def _profiles(self) -> Iterator[HotSpots]:
        profiles: Any = self._config.pluginmanager.getplugin("arm64-profiles")
        yield from map(hot_spots, profiles.found if profiles is not None else ())


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


def _values(text: object) -> Iterator[Mapping[str, Any]]:
    """Those that are not identical; nothing of a property that is somebody else's."""
    try:
        values = json.loads(str(text))["values"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return
    for value in values if isinstance(values, list) else ():
        whole = isinstance(value, dict) and {"name", "class", "ok"} <= value.keys()
        if whole and value["class"] != Verdict.IDENTICAL.value:
            yield value


def _measured(text: object) -> Iterator[Measured]:
    try:
        yield Measured.decode(str(text))
    except MalformedRecordError:
        return  # a property of somebody else's


def _named(value: Mapping[str, Any]) -> list[str]:
    names = value.get("pictures")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def _read_pictures(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """PNG files of *folder* by name, in base64; what is too large is left out."""
    room = MOST_PICTURES
    for name in dict.fromkeys(names):
        path = folder / name
        if path.parent != folder or not path.is_file() or path.stat().st_size > MOST_PICTURE:
            continue
        data = path.read_bytes()
        room -= len(data)
        if room >= 0 and data.startswith(_PNG):
            yield name, base64.b64encode(data).decode()
