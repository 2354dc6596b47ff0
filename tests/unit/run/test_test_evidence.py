"""What the report takes from tests and cells, which may hand over anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given

from pytest_arm64.decide.evidence import ServiceEvidence, TestOutcome
from pytest_arm64.inside.measure.hotspots import Function, Spent
from pytest_arm64.inside.measure.profile_record import Profile
from pytest_arm64.inside.ran import Ran
from pytest_arm64.run import test_evidence
from pytest_arm64.run.test_evidence import MOST_VALUES, EvidenceCollector
from unit.decide import made
from unit.report.made_reports import ARM, EMULATED, X86, measured, picture
from unit.support import JSON

TEST = "test_it.py::test_one"
RAN = Ran("aarch64", "graviton2", emulated=True, stand_in=False)
PNG = base64.b64decode(picture("golden", 1).png)


class Mirrored:
    """What a cell has left, as the host fetches it."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.fetched = 0

    def fetch(self, folder: Path) -> None:
        self.fetched += 1
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


RUN: Any = SimpleNamespace(
    part=SimpleNamespace(name="api"), place=SimpleNamespace(ran=RAN), session=None
)


def collected() -> EvidenceCollector:
    host: Any = SimpleNamespace(current=RUN)
    return EvidenceCollector(host)


def finish(
    found: EvidenceCollector,
    files: Mapping[str, bytes] | None = None,
    *,
    arm64_profile: bool = False,
) -> Mirrored:
    mirrored = Mirrored(files or {})
    config: Any = SimpleNamespace(option=SimpleNamespace(arm64_profile=arm64_profile))
    found.pytest_arm64_finished(config, mirrored)  # type: ignore[arg-type]
    return mirrored


def report(found: EvidenceCollector, name: str, value: object, when: str = "teardown") -> None:
    told: Any = SimpleNamespace(user_properties=[(name, value)], when=when, nodeid=TEST)
    found.pytest_runtest_logreport(told)


def evidence(found: EvidenceCollector, *, alone: bool = True) -> ServiceEvidence:
    return found.add_to(made.service(), RUN, [TestOutcome(TEST, "passed")], alone=alone)


def value(name: str, **how: object) -> dict[str, object]:
    return {"name": name, "class": "integer/cast", "ok": False, "ulp": None, **how}


def test_values_that_are_not_identical_are_told_the_worst_first() -> None:
    found = collected()
    values = [
        value("same", **{"class": "identical", "ok": True}),
        value("near", **{"class": "within policy", "ok": True, "ulp": 2}),
        value("cast"),
        value("gone", **{"class": "exception or signal changed"}),
    ]
    report(found, "arm64_golden", json.dumps({"values": values}))
    finish(found)
    goldens = evidence(found).goldens
    assert [(g.name, g.ok, g.ulp) for g in goldens] == [
        ("gone", False, None),
        ("cast", False, None),
        ("near", True, 2),
    ]
    assert str(goldens[0].where) == "aarch64 EMULATED, core graviton2"


def test_of_very_many_values_the_worst_are_told() -> None:
    found = collected()
    values = [value(f"{n:04}", ok=n > 0) for n in range(MOST_VALUES + 50)]
    report(found, "arm64_golden", json.dumps({"values": values}))
    finish(found)
    goldens = evidence(found).goldens
    assert len(goldens) == MOST_VALUES
    assert goldens[0].name == "0000"


def test_pictures_are_taken_from_the_cells_results(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"x-{kind}.png" for kind in ("golden", "here", "difference")]
    files = {f"pictures/{name}": PNG for name in names}
    found = collected()
    told = json.dumps({"values": [value("preview", pictures=names)]})
    report(found, "arm64_golden", told)
    finish(found, files)
    (golden,) = evidence(found).goldens
    assert [p.kind for p in golden.pictures] == ["golden", "here", "difference"]
    assert base64.b64decode(golden.pictures[0].png) == PNG
    # No room for all: of the first part two, of the next none.
    monkeypatch.setattr(test_evidence, "MOST_PICTURES", 2 * len(PNG))
    found = collected()
    for kinds in (["golden", "here"], []):
        report(found, "arm64_golden", told)
        finish(found, files)
        assert [p.kind for p in evidence(found).goldens[0].pictures] == kinds


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x-golden.png", b"GIF89a"),
        ("x-golden.png", PNG + bytes(test_evidence.MOST_PICTURE)),
        ("../outside-golden.png", PNG),
        ("/etc/hostname", PNG),
        ("missing-golden.png", None),
        ("", None),
    ],
)
def test_what_is_no_picture_or_lies_elsewhere_is_left_out(
    name: str, content: bytes | None, tmp_path: Path
) -> None:
    files = {"pictures/kept": b""}
    if content is not None and not name.startswith("/"):
        files[f"pictures/{name}"] = content
    found = collected()
    report(found, "arm64_golden", json.dumps({"values": [value("v", pictures=[name])]}))
    finish(found, files)
    assert evidence(found).goldens[0].pictures == ()


def test_nothing_is_fetched_where_no_picture_is_named() -> None:
    found = collected()
    report(found, "arm64_golden", json.dumps({"values": [value("v")]}))
    assert finish(found).fetched == 0


@given(JSON)
def test_any_property_is_taken_or_left(told: object) -> None:
    found = collected()
    for text in (
        told,
        json.dumps(told),
        json.dumps({"values": told}),
        json.dumps({"values": [told]}),
    ):
        report(found, "arm64_golden", text)
        report(found, "arm64_measure", text, "call")
        finish(found)
        assert evidence(found).measured == ()


def test_measurements_of_all_cells_are_kept_once(tmp_path: Path) -> None:
    found = collected()
    mine = measured(EMULATED, 0.1)
    one = type(mine)(TEST, mine.where, mine.records)
    report(found, "arm64_measure", one.encode(), "call")
    report(found, "arm64_measure", one.encode(), "call")
    other = type(mine)(TEST, X86, mine.records)
    (tmp_path / "measure").mkdir()
    (tmp_path / "measure" / "a.json").write_text(other.encode())
    result: Any = SimpleNamespace(out=tmp_path)
    found.pytest_arm64_cell(result)
    finish(found)
    assert evidence(found).measured == (one, other)


def profile(where: Ran, count: int) -> bytes:
    functions = {Function("a.py", n, f"f{n}"): Spent(float(n), None) for n in range(1, count)}
    seconds = sum(spent.seconds for spent in functions.values())
    return json.dumps(Profile(where, "samples", seconds, functions).to_json()).encode()


def test_a_profile_belongs_to_a_service_that_was_alone() -> None:
    found = collected()
    finish(found, {"profile/1.json": profile(ARM, 40)}, arm64_profile=True)
    (spots,) = evidence(found).profiles
    assert (spots.functions[0].name, len(spots.functions)) == ("f39", 25)
    assert spots.share(spots.functions[0]) == 39 / 780
    assert evidence(found, alone=False).profiles == ()


def test_each_part_of_a_run_has_its_own() -> None:
    found = collected()
    report(found, "arm64_golden", json.dumps({"values": [value("of the first")]}))
    finish(found)
    RUN.part.name, first = "worker", RUN.part.name
    try:
        report(found, "arm64_golden", json.dumps({"values": [value("of the second")]}))
        finish(found)
        assert [golden.name for golden in evidence(found).goldens] == ["of the second"]
    finally:
        RUN.part.name = first
    assert [golden.name for golden in evidence(found).goldens] == ["of the first"]
