"""A builder with a cross compiler: who gets one, where it comes from, and why one is missing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.config.targets import shipped_targets
from pytest_arm64.engine.images import Base
from pytest_arm64.environment import cross
from pytest_arm64.environment.cross import CrossBuilder, NoCrossCompilerError, cross_builder
from pytest_arm64.errors import ImageError
from pytest_arm64.progress import NoProgress
from unit.support import CELL

DEBIAN = replace(CELL, target=shipped_targets()["debian12-python3.12"], image="python:slim")
BUILDER = Base("builder:1", "sha256:1", "", "arm64", {})
ENGINE = cast("Any", SimpleNamespace(machine="x86_64"))


@dataclass
class Played:
    """Images by reference, and the containers that were started."""

    images: dict[str, Base] = field(default_factory=dict)
    containers: list[Any] = field(default_factory=list)
    pulled: list[tuple[str, str]] = field(default_factory=list)
    derived: list[tuple[str, str, str]] = field(default_factory=list)
    answer: tuple[int, str] = (0, "gcc 12.2.0")


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Played:
    played = Played()

    class PlayedContainer:
        def __init__(self, plan: Any) -> None:
            self.plan = plan
            self.commands: list[list[str]] = []

        def run(self, command: list[str], *, environment: Any) -> Any:
            self.commands.append(command)
            code, text = played.answer if "sample" in command[-1] else (0, "")
            return SimpleNamespace(code=code, text=text)

        def fetch(self, path: str, most: int) -> io.BytesIO:
            assert (path, most) == ("/opt/pytest-arm64/cross", 2**30)
            return io.BytesIO(b"programs")

        def put(self, path: str, archive: Any) -> None:
            if hasattr(archive, "read"):
                assert (path, archive.read()) == ("/opt/pytest-arm64", b"programs")

        def commit(self, tag: str, labels: dict[str, str]) -> None:
            played.images[tag] = Base(tag, "sha256:3", "", "arm64", labels)

    @contextmanager
    def start(_: object, plan: Any) -> Iterator[PlayedContainer]:
        played.containers.append(PlayedContainer(plan))
        yield played.containers[-1]

    def get(_: object, reference: str, architecture: str, *__: object, **___: object) -> Base:
        played.pulled.append((reference, architecture))
        return Base(reference, "sha256:2", "", architecture, {})

    def derived(_: object, cell: Any, base: Base, command: str, kind: str, __: object) -> Base:
        played.derived.append((cell.platform, base.reference, command.rsplit(maxsplit=1)[-1]))
        return replace(base, reference=kind)

    monkeypatch.setattr(cross, "Container", start)
    monkeypatch.setattr(cross, "find_made", lambda _, tag: played.images.get(tag))
    monkeypatch.setattr(cross, "get_image", get)
    monkeypatch.setattr(cross, "derived", derived)
    return played


def crossed(cell: Any = DEBIAN, image: str = "", engine: Any = ENGINE) -> CrossBuilder:
    return cross_builder(engine, cell, BUILDER, image, NoProgress(), offline=False)


def test_the_compiler_of_the_targets_amd64_image_is_put_into_the_builder(played: Played) -> None:
    made = crossed()
    assert made.compiler == "gcc 12.2.0"
    assert played.pulled == [("python:slim", "amd64")]
    ((platform, reference, _),) = played.derived
    assert (platform, reference) == ("linux/amd64", "python:slim")
    tools, builder = played.containers
    assert tools.plan.platform == "linux/amd64"
    assert (builder.plan.platform, builder.plan.image) == ("linux/arm64", "sha256:1")
    assert {c.plan.network for c in played.containers} == {"none"}


def test_an_image_that_is_named_serves_any_target(played: Played) -> None:
    assert crossed(CELL, "mine:1").compiler == "gcc 12.2.0"
    assert played.pulled == [("mine:1", "amd64")]
    assert not played.derived


def test_it_is_made_once_for_each_builder_and_each_compiler(played: Played) -> None:
    for _ in range(2):
        crossed()
    assert len(played.containers) == 2
    crossed(image="mine:1")
    assert len(played.containers) == 4


@pytest.mark.parametrize(
    ("cell", "engine", "reason"),
    [
        (CELL, ENGINE, "PYTEST_ARM64_CROSS_IMAGE"),
        (DEBIAN, SimpleNamespace(machine="aarch64"), "aarch64"),
        (replace(DEBIAN, architecture="amd64"), ENGINE, "x86_64"),
    ],
    ids=["no package is known", "a native engine", "a cell of x86"],
)
def test_where_there_is_none_the_reason_is_given(
    played: Played, cell: Any, engine: Any, reason: str
) -> None:
    with pytest.raises(NoCrossCompilerError, match=reason):
        crossed(cell, engine=engine)
    assert not played.containers
    assert not played.pulled


def test_a_compiler_that_gives_other_files_is_refused_in_its_scripts_words(played: Played) -> None:
    played.answer = (3, "sample.o differs\nthe builder has gcc 11.5.0")
    with pytest.raises(NoCrossCompilerError, match=r"^the builder has gcc 11\.5\.0$"):
        crossed()
    assert not played.images


def test_an_image_that_cannot_be_pulled_is_no_error_of_the_run(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Base:
        raise ImageError("mine:1 could not be pulled")

    monkeypatch.setattr(cross, "get_image", refuse)
    with pytest.raises(NoCrossCompilerError, match="mine:1 could not be pulled"):
        crossed(image="mine:1")
    assert not played.containers
