"""Built wheels: kept by their sources, builder and Python, and found again only as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_arm64 import cache
from pytest_arm64.engine.images import Base
from pytest_arm64.environment.build_environment import wants_more
from pytest_arm64.environment.plan import PlannedPackage
from pytest_arm64.environment.source_builds import BuiltWheels, Source
from unit.support import ran

BUILDER = Base("builder", "sha256:1", "", "arm64", {})
WHEEL = "demo-1.0-cp312-cp312-linux_aarch64.whl"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"sources")
    return Source(PlannedPackage("demo", "1.0", "deploy", "source", path.name), path)


def test_a_build_is_found_again_with_its_log_and_duration(source: Source) -> None:
    built_wheels = BuiltWheels(BUILDER, ran())
    assert built_wheels.find(source) is None
    made = built_wheels.store(source, WHEEL, b"wheel", 12.5, "gcc said nothing")
    assert made.fresh
    found = built_wheels.find(source)
    assert found is not None
    assert not found.fresh
    assert found.wheel.name == WHEEL
    assert found.wheel.read_bytes() == b"wheel"
    assert (found.seconds, found.log) == (12.5, "gcc said nothing")


def test_other_sources_builders_and_pythons_have_builds_of_their_own(source: Source) -> None:
    BuiltWheels(BUILDER, ran()).store(source, WHEEL, b"wheel", 1.0, "")
    assert BuiltWheels(replace(BUILDER, id="sha256:2"), ran()).find(source) is None
    assert BuiltWheels(BUILDER, ran(python_version="3.12.9")).find(source) is None
    source.path.write_bytes(b"other sources")
    assert BuiltWheels(BUILDER, ran()).find(source) is None


@pytest.mark.parametrize("note", ["", "[", "[]", '{"wheel": "../../escape"}', '{"wheel": 3}'])
def test_a_damaged_note_is_no_build(source: Source, note: str) -> None:
    built_wheels = BuiltWheels(BUILDER, ran())
    built_wheels.store(source, WHEEL, b"wheel", 1.0, "")
    (path,) = cache.cache_folder().rglob("note.json")
    path.write_text(note)
    assert built_wheels.find(source) is None
    path.write_text(json.dumps({"wheel": WHEEL, "seconds": 1, "log": ""}))
    assert built_wheels.find(source) is not None
    (wheel,) = cache.cache_folder().rglob("*.whl")
    wheel.unlink()
    assert built_wheels.find(source) is None


@pytest.mark.parametrize(
    ("log", "again"),
    [
        ("ModuleNotFoundError: No module named 'calver'", True),
        ("BackendUnavailable: Cannot import 'odd.backend'", True),
        ("error: backend-unavailable\n\n× Cannot import build backend 'maturin'", True),
        ("fatal error: lber.h: No such file or directory", False),
    ],
)
def test_a_build_that_asks_for_more_than_it_wrote_down_is_given_pips_isolation(
    log: str, again: bool
) -> None:
    assert wants_more(log) is again
