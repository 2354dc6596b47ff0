"""Built wheels: cached by sources, recipe, builder and Python, and used only as they were."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.requirements import Requirement

from pytest_arm64 import cache
from pytest_arm64.engine.images import Base
from pytest_arm64.environment.build_environment import BuildEnvironment, wants_more
from pytest_arm64.environment.failures import Tools
from pytest_arm64.environment.planned_scope import PlannedPackage
from pytest_arm64.environment.prepared_build import Prepared
from pytest_arm64.environment.source_builds import (
    BuiltWheels,
    Source,
    WheelFile,
    build,
    recipe_of,
)
from pytest_arm64.environment.tree import Owner
from pytest_arm64.errors import InstallError
from pytest_arm64.index.pip_config import PipConfig
from unit.support import PYTHON, ran

BUILDER = Base("builder", "sha256:1", "", "arm64", {})
WHEEL = "demo-1.0-cp312-cp312-linux_aarch64.whl"


def requirements(*hashes: str, version: str = "80.0") -> BuildEnvironment:
    """Build requirements: setuptools, in wheels of *hashes*."""
    packages = [PlannedPackage("setuptools", version, "build", "pure") for _ in hashes]
    return BuildEnvironment((Requirement("setuptools"),), tuple(packages), (), PYTHON, hashes)


def made(content: bytes = b"wheel", name: str = WHEEL) -> Prepared[WheelFile]:
    wheel = WheelFile(name, io.BytesIO(content), 12.5, "gcc said nothing")
    return Prepared(wheel, requirements("aa"), ("ninja",))


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(b"sources")
    return Source(PlannedPackage("demo", "1.0", "deploy", "source", path.name), path)


def wheels(recipe: dict[str, object] | None = None, builder: Base = BUILDER) -> BuiltWheels:
    return BuiltWheels(builder, ran(), recipe or {"variables": {}})


def test_a_build_is_found_again_with_its_log_and_duration(source: Source) -> None:
    assert wheels().find(source) is None
    assert wheels().store(source, made()).fresh
    built = wheels().find(source)
    assert built is not None
    assert not built.fresh
    assert built.wheel.name == WHEEL
    assert built.wheel.read_bytes() == b"wheel"
    assert (built.seconds, built.log, built.asked) == (12.5, "gcc said nothing", ("ninja",))
    assert built.requirements == [["setuptools", "80.0", "aa"]]


def test_other_sources_builders_and_pythons_have_builds_of_their_own(source: Source) -> None:
    wheels().store(source, made())
    assert wheels({"variables": {"QEMU_CPU": "x"}}).find(source) is None
    assert wheels(builder=replace(BUILDER, id="sha256:2")).find(source) is None
    other_python = BuiltWheels(BUILDER, ran(python_version="3.12.9"), {"variables": {}})
    assert other_python.find(source) is None
    source.path.write_bytes(b"other sources")
    assert wheels().find(source) is None


CONFIG = PipConfig({"index-url": "https://a/simple"}, {}, ())


def test_everything_that_decides_a_build_is_in_its_recipe(source: Source) -> None:
    """Another wheel of the same name and version as a requirement is another build."""
    package = source.package
    below = Source(replace(package, url="https://host/a.tgz#subdirectory=python"), source.path)
    variables = {"QEMU_CPU": "n1"}
    recipes = [
        recipe_of(source, variables, requirements("aa"), None),
        recipe_of(source, variables, requirements("bb"), None),
        recipe_of(source, variables, requirements("aa", version="81.0"), None),
        recipe_of(source, variables, requirements("aa", "bb"), None),
        recipe_of(source, variables, None, CONFIG),
        recipe_of(source, variables, requirements("aa"), CONFIG),
        recipe_of(source, variables, requirements("aa"), PipConfig({}, {}, ())),
        recipe_of(source, {}, requirements("aa"), None),
        recipe_of(below, variables, requirements("aa"), None),
    ]
    keys = {cache.digest(recipe) for recipe in recipes}
    assert len(keys) == len(recipes)


def note_of(key: str = "*") -> Path:
    (path,) = cache.cache_folder().rglob(f"{key}/note.json")
    return path


def rewrite_note(change: dict[str, object]) -> None:
    """Change the note as somebody would who knows how records are written."""
    path = note_of()
    kind = str(path.parent.relative_to(cache.cache_folder()))
    note = cache.load(kind, "note")
    assert note is not None
    cache.store(kind, "note", {**note, **change})


@pytest.mark.parametrize("note", ["", "[", "[]", '{"wheel": "../../escape"}', '{"wheel": 3}'])
def test_a_damaged_note_is_no_build(source: Source, note: str) -> None:
    wheels().store(source, made())
    intact = note_of().read_text()
    note_of().write_text(note)
    assert wheels().find(source) is None
    note_of().write_text(intact)
    assert wheels().find(source) is not None
    (wheel,) = cache.cache_folder().rglob("*.whl")
    wheel.unlink()
    assert wheels().find(source) is None


@pytest.mark.parametrize("change", [b"other", b"whee", b"wheel and more", b""])
def test_a_built_wheel_that_was_changed_is_built_again(source: Source, change: bytes) -> None:
    wheels().store(source, made())
    (wheel,) = cache.cache_folder().rglob("*.whl")
    wheel.write_bytes(change)
    assert wheels().find(source) is None
    assert wheels().store(source, made()).wheel.read_bytes() == b"wheel"
    assert wheels().find(source) is not None


def test_a_build_that_was_moved_to_another_recipe_is_none(source: Source) -> None:
    wheels().store(source, made())
    theirs = note_of().parent
    wheels({"variables": {"own": "1"}}).store(source, made(b"mine"))
    ours = next(path for path in cache.cache_folder().rglob("note.json") if path.parent != theirs)
    for file in theirs.iterdir():
        (ours.parent / file.name).write_bytes(file.read_bytes())
    assert wheels({"variables": {"own": "1"}}).find(source) is None
    assert wheels().find(source) is not None


@pytest.mark.parametrize("name", ["../x.whl", "/x.whl", "sub/x.whl", ""])
def test_a_note_that_names_a_file_elsewhere_is_no_build(source: Source, name: str) -> None:
    wheels().store(source, made())
    (note_of().parent.parent / "x.whl").write_bytes(b"wheel")
    rewrite_note({"wheel": name})
    assert wheels().find(source) is None


@pytest.mark.parametrize(
    "change", [{"asked": 3}, {"seconds": None}, {"sha256": ""}, {"key": ""}, {"log": None}]
)
def test_a_note_with_other_values_is_no_build_or_harmless(
    source: Source, change: dict[str, object]
) -> None:
    wheels().store(source, made())
    rewrite_note(change)
    built = wheels().find(source)
    assert built is None or (built.wheel.read_bytes(), "log" in change) == (b"wheel", True)


class Builder:
    """A container whose build leaves *members* in its folder for wheels."""

    def __init__(self, members: list[tarfile.TarInfo]) -> None:
        self._members = members

    def put(self, *_: object) -> None:
        pass

    def run(self, *_: object, **__: object) -> Any:
        from pytest_arm64.engine.container import Finished

        return Finished(0, b"built", b"")

    def fetch(self, *_: object) -> io.BytesIO:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for member in self._members:
                archive.addfile(member, io.BytesIO(bytes(member.size)))
        buffer.seek(0)
        return buffer


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> Any:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


@pytest.mark.parametrize(
    "members",
    [
        [],
        [member("out/a.whl"), member("out/b.whl")],
        [member("out/a.whl", tarfile.SYMTYPE, "/etc/shadow")],
        [member("out/a.whl", tarfile.LNKTYPE, "out/nothing")],
        [member("out/a.whl", tarfile.DIRTYPE), member("out/a.whl/x")],
        [member("out/a.whl", tarfile.FIFOTYPE)],
    ],
    ids=["nothing", "two", "a link", "a hard link", "a folder", "a pipe"],
)
def test_what_a_build_leaves_instead_of_one_wheel_is_refused(
    source: Source, members: list[tarfile.TarInfo]
) -> None:
    container = cast("Any", Builder(members))
    with pytest.raises(InstallError, match=r"made \d wheels"):
        build(container, ["pip"], source, "/x", "/out", {}, Tools(), Owner())


def test_a_wheel_that_a_build_has_made_is_taken(source: Source) -> None:
    container = cast("Any", Builder([member("out/log"), member(f"out/{WHEEL}", size=7)]))
    wheel = build(container, ["pip"], source, "/x", "/out", {}, Tools(), Owner())
    with wheel.content as content:
        assert (wheel.name, content.read(), wheel.log) == (WHEEL, bytes(7), "built")


@pytest.mark.parametrize(
    ("log", "again"),
    [
        ("ModuleNotFoundError: No module named 'calver'", True),
        ("BackendUnavailable: Cannot import 'odd.backend'", True),
        ("error: backend-unavailable\n\n× Cannot import build backend 'maturin'", True),
        ("fatal error: lber.h: No such file or directory", False),
    ],
)
def test_a_build_that_asks_for_more_than_it_wrote_down_is_recognised(log: str, again: bool) -> None:
    assert wants_more(log) is again


def test_the_note_says_by_what_recipe_it_was_built(source: Source) -> None:
    recipe: dict[str, object] = {"variables": {"A": "b"}}
    wheels(recipe).store(source, made())
    assert json.loads(note_of().read_text())["record"]["recipe"] == recipe
