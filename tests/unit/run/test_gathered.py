"""What the report takes from tests and cells, which may hand over anything."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given

from pytest_arm64.decide.evidence import ServiceEvidence, TestOutcome
from pytest_arm64.measure.hotspots import Function, Spent
from pytest_arm64.measure.profile_record import Profile
from pytest_arm64.run import gathered
from pytest_arm64.run.gathered import MOST_VALUES, Gathered
from unit.decide import made
from unit.report.made_reports import ARM, EMULATED, X86, measured, picture
from unit.support import JSON

TEST = "test_it.py::test_one"
FACTS = {"machine": "aarch64", "core": "graviton2", "emulated": True, "stand_in": False}
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


def collected(profiles: Sequence[Profile] = ()) -> Gathered:
    plugins = {
        "arm64-host": SimpleNamespace(place=SimpleNamespace(facts=FACTS)),
        "arm64-profiles": SimpleNamespace(found=profiles) if profiles else None,
    }
    config: Any = SimpleNamespace(pluginmanager=SimpleNamespace(getplugin=plugins.get))
    return Gathered(config)


def report(found: Gathered, name: str, value: object, when: str = "teardown") -> None:
    told: Any = SimpleNamespace(user_properties=[(name, value)], when=when, nodeid=TEST)
    found.pytest_runtest_logreport(told)


def evidence(found: Gathered, *, alone: bool = True) -> ServiceEvidence:
    return found.add_to(made.service(), [TestOutcome(TEST, "passed")], alone=alone)


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
    goldens = evidence(found).goldens
    assert len(goldens) == MOST_VALUES
    assert goldens[0].name == "0000"


def test_pictures_are_taken_from_the_cells_results(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"x-{kind}.png" for kind in ("golden", "here", "difference")]
    files = {f"pictures/{name}": PNG for name in names}
    found = collected()
    report(found, "arm64_golden", json.dumps({"values": [value("preview", pictures=names)]}))
    found.pytest_arm64_finished(Mirrored(files))  # type: ignore[arg-type]
    (golden,) = evidence(found).goldens
    assert [p.kind for p in golden.pictures] == ["golden", "here", "difference"]
    assert base64.b64decode(golden.pictures[0].png) == PNG
    # No room for all.
    monkeypatch.setattr(gathered, "MOST_PICTURES", 2 * len(PNG))
    found.pytest_arm64_finished(Mirrored(files))  # type: ignore[arg-type]
    assert [p.kind for p in evidence(found).goldens[0].pictures] == ["golden", "here"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x-golden.png", b"GIF89a"),
        ("x-golden.png", PNG + bytes(gathered.MOST_PICTURE)),
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
    found.pytest_arm64_finished(Mirrored(files))  # type: ignore[arg-type]
    assert evidence(found).goldens[0].pictures == ()


def test_nothing_is_fetched_where_no_picture_is_named() -> None:
    found, mirrored = collected(), Mirrored({})
    report(found, "arm64_golden", json.dumps({"values": [value("v")]}))
    found.pytest_arm64_finished(mirrored)  # type: ignore[arg-type]
    assert mirrored.fetched == 0


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
        found.pytest_arm64_finished(Mirrored({}))  # type: ignore[arg-type]
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
    assert evidence(found).measured == (one, other)


def test_a_profile_belongs_to_a_service_that_was_alone() -> None:
    functions = {Function("a.py", n, f"f{n}"): Spent(float(n), None) for n in range(1, 40)}
    found = collected([Profile(ARM, "samples", 780.0, functions)])
    (profile,) = evidence(found).profiles
    assert (profile.functions[0].name, len(profile.functions)) == ("f39", 25)
    assert profile.share(profile.functions[0]) == 39 / 780
    assert evidence(found, alone=False).profiles == ()
