"""Built wheels: kept by their sources, builder and Python, and found again only as they were."""

from __future__ import annotations

import hashlib
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
SHA256 = hashlib.sha256(b"wheel").hexdigest()
RECIPE: dict[str, object] = {"variables": {}}
WHEEL = "demo-1.0-cp312-cp312-linux_aarch64.whl"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"sources")
    return Source(PlannedPackage("demo", "1.0", "deploy", "source", path.name), path)


def test_a_build_is_found_again_with_its_log_and_duration(source: Source) -> None:
    built_wheels = BuiltWheels(BUILDER, ran(), RECIPE)
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
    BuiltWheels(BUILDER, ran(), RECIPE).store(source, WHEEL, b"wheel", 1.0, "")
    assert BuiltWheels(BUILDER, ran(), {"variables": {"QEMU_CPU": "x"}}).find(source) is None
    assert BuiltWheels(replace(BUILDER, id="sha256:2"), ran(), RECIPE).find(source) is None
    assert BuiltWheels(BUILDER, ran(python_version="3.12.9"), RECIPE).find(source) is None
    source.path.write_bytes(b"other sources")
    assert BuiltWheels(BUILDER, ran(), RECIPE).find(source) is None


@pytest.mark.parametrize("note", ["", "[", "[]", '{"wheel": "../../escape"}', '{"wheel": 3}'])
def test_a_damaged_note_is_no_build(source: Source, note: str) -> None:
    built_wheels = BuiltWheels(BUILDER, ran(), RECIPE)
    built_wheels.store(source, WHEEL, b"wheel", 1.0, "")
    (path,) = cache.cache_folder().rglob("note.json")
    path.write_text(note)
    assert built_wheels.find(source) is None
    path.write_text(json.dumps({"wheel": WHEEL, "sha256": SHA256, "seconds": 1, "log": ""}))
    assert built_wheels.find(source) is not None
    (wheel,) = cache.cache_folder().rglob("*.whl")
    wheel.unlink()
    assert built_wheels.find(source) is None


@pytest.mark.parametrize("change", [b"other", b"whee", b"wheel and more", b""])
def test_a_built_wheel_that_was_changed_is_built_again(source: Source, change: bytes) -> None:
    built_wheels = BuiltWheels(BUILDER, ran(), RECIPE)
    built_wheels.store(source, WHEEL, b"wheel", 1.0, "")
    (wheel,) = cache.cache_folder().rglob("*.whl")
    wheel.write_bytes(change)
    assert built_wheels.find(source) is None
    assert built_wheels.store(source, WHEEL, b"wheel", 1.0, "").wheel.read_bytes() == b"wheel"
    assert built_wheels.find(source) is not None


def test_a_note_that_names_a_file_elsewhere_is_no_build(source: Source) -> None:
    built_wheels = BuiltWheels(BUILDER, ran(), RECIPE)
    built_wheels.store(source, WHEEL, b"wheel", 1.0, "")
    (path,) = cache.cache_folder().rglob("note.json")
    (path.parent.parent / "x.whl").write_bytes(b"wheel")
    path.write_text(json.dumps({"wheel": "../x.whl", "sha256": SHA256, "seconds": 1, "log": ""}))
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
