"""Images: found, pulled, refused in words; a played engine answers."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_arm64.engine import images
from pytest_arm64.engine.endpoint import Engine, open_engine
from pytest_arm64.engine.images import (
    Base,
    export_image,
    find_image,
    get_image,
    is_made_here,
    remove_derived,
    remove_nameless,
)
from pytest_arm64.engine.leftovers import MAKER_LABEL, this_process
from pytest_arm64.engine.patience import Patience
from pytest_arm64.engine.seals import BASE_LABEL, sealed
from pytest_arm64.errors import EngineError, ImageError
from pytest_arm64.progress import NoProgress
from unit.support import Answer, PlayedEngine, is_plain_text, played_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_arm64.progress import Progress

IMAGE: dict[str, Any] = {
    "Id": "sha256:abc",
    "Architecture": "arm64",
    "RepoDigests": ["amazonlinux@sha256:ff"],
    "Config": {"Labels": {"a": "b"}, "Env": ["XPATH=/x", "PATH=/var/lang/bin:/usr/bin", "A=PATH="]},
}


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret and a cache of this test's own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[tuple[PlayedEngine, Engine]]:
    answers: dict[str, Answer] = {
        "GET /version": (200, {"ApiVersion": "1.47"}),
        "GET /info": (200, {"Architecture": "x86_64"}),
        "GET /containers/json": (200, []),
    }
    with (
        played_engine(tmp_path / "s.sock", answers) as played,
        open_engine({"DOCKER_HOST": f"unix://{played.path}"}) as opened,
    ):
        yield played, opened


Played = tuple[PlayedEngine, Engine]


def has(played: PlayedEngine, reference: str, **changes: Any) -> None:
    played.answers[f"GET /images/{reference}/json"] = (200, {**IMAGE, **changes})


def listed(name: str, base: str, **labels: str) -> dict[str, Any]:
    """An image of ours, as an engine lists it."""
    return {"Id": name, "Labels": sealed(f"pytest-arm64/x:{name}", {BASE_LABEL: base, **labels})}


@contextmanager
def refused(*parts: str) -> Iterator[None]:
    with pytest.raises(ImageError) as caught:
        yield
    assert is_plain_text(caught.value)
    assert caught.value.next_step
    for part in parts:
        assert part in str(caught.value)


def get(engine: Engine, reference: str = "base", *, offline: bool = False) -> Base:
    return get_image(engine, reference, "arm64", cast("Progress", NoProgress()), offline=offline)


def test_found(engine: Played) -> None:
    has(engine[0], "base")
    expected = Base(
        "base", "sha256:abc", "sha256:ff", "arm64", {"a": "b"}, "/var/lang/bin:/usr/bin"
    )
    assert find_image(engine[1], "base") == expected
    assert get(engine[1], offline=True) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"RepoDigests": None, "Config": None},
        {"RepoDigests": [], "Config": {"Labels": None, "Env": None}},
        {"RepoDigests": [], "Config": {}},
    ],
)
def test_image_that_was_built_here(engine: Played, changes: dict[str, Any]) -> None:
    has(engine[0], "base", **changes)
    found = find_image(engine[1], "base")
    assert found is not None
    assert (found.digest, found.labels, found.path) == ("", {}, "")


def test_not_found(engine: Played) -> None:
    assert find_image(engine[1], "base") is None


def test_engine_that_fails(engine: Played) -> None:
    engine[0].answers["GET /images/base/json"] = (500, {"message": "database is locked"})
    with pytest.raises(EngineError, match="database is locked"):
        find_image(engine[1], "base")


def test_offline_pulls_nothing(engine: Played) -> None:
    with refused("--arm64-offline", "docker pull --platform linux/arm64 base"):
        get(engine[1], offline=True)
    assert engine[0].seen("POST") == []


def test_ours_are_never_pulled(engine: Played) -> None:
    with refused("never pulled"):
        get(engine[1], "pytest-arm64/environment:abc")
    assert engine[0].seen("POST") == []


def test_replaced_image_goes_with_what_was_made_of_it(engine: Played) -> None:
    played, opened = engine
    has(played, "old")
    made = {"compiled": "sha256:abc", "run": "environment", "environment": "compiled"}
    made |= {"another": "sha256:another"}
    label = "pytest-arm64.base"
    images = [listed(name, base) for name, base in made.items()]
    # Of another user's, and built by somebody from one of ours: they have the same labels.
    images.append({"Id": "foreign", "Labels": {label: "sha256:abc"}})
    images.append({**listed("built-on-ours", "sha256:abc"), "RepoTags": ["shop:1"]})
    played.answers["GET /images/json"] = (200, images)
    for name in (*made, "sha256:abc"):
        played.answers[f"DELETE /images/{name}"] = (200, [])
    played.answers["DELETE /images/environment"] = (409, {"message": "in use"})
    old = find_image(opened, "old")
    assert old is not None
    remove_derived(opened, old)
    ((_, query),) = [seen for seen in played.seen("GET") if seen[0] == "/images/json"]
    assert json.loads(query["filters"][0]) == {"label": [label]}
    removed = [path.removeprefix("/images/") for path, _ in played.seen("DELETE")]
    assert removed == ["run", "environment", "compiled", "sha256:abc"]


def test_nameless_images_of_dead_processes_go(engine: Played) -> None:
    played, opened = engine
    me = this_process()
    dead = f"{me.partition('/')[0]}/{2**22 + 1}/7"
    bases = {"mine": "", "left": "", "made-of-it": "left", "elsewhere": ""}
    hosts = {"mine": me, "left": dead, "made-of-it": me, "elsewhere": "other-machine/1/1"}
    images = [listed(name, base, **{MAKER_LABEL: hosts[name]}) for name, base in bases.items()]
    images.append({"Id": "foreign", "Labels": {MAKER_LABEL: dead}})
    played.answers["GET /images/json"] = (200, images)
    for name in bases:
        played.answers[f"DELETE /images/{name}"] = (200, [])
    remove_nameless(opened)
    removed = [path.removeprefix("/images/") for path, _ in played.seen("DELETE")]
    assert removed == ["made-of-it", "left"]


class Told:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.updates: list[tuple[str, float | None]] = []

    @contextmanager
    def step(self, title: str) -> Iterator[Told]:
        self.titles.append(title)
        yield self

    def update(self, text: str = "", fraction: float | None = None) -> None:
        self.updates.append((text, fraction))

    def say(self, text: str) -> None:
        raise AssertionError(text)


def events(*lines: dict[str, Any]) -> Answer:
    return 200, "\r\n".join(json.dumps(line) for line in lines).encode()


def layer(name: str | None, current: int, total: int | None) -> dict[str, Any]:
    detail = {"current": current, "total": total}
    return {"status": "Downloading", "progressDetail": detail} | ({"id": name} if name else {})


def test_pull_with_progress(engine: Played) -> None:
    played, opened = engine
    played.answers["POST /images/create"] = events(
        {"status": "Pulling from library"},
        layer("a", 0, 100),
        layer("b", 50, 300),
        layer("a", 100, 100),
        layer("c", 5, None),
        {"status": "Downloading"},
        {"status": "Downloading", "progressDetail": None},
        {"status": "Done", "progressDetail": {}},
    )
    told = Told()
    with refused("the engine has nothing"):
        get_image(opened, "base", "arm64", cast("Progress", told), offline=False)
    assert told.titles == ["pull base (arm64)"]
    assert [fraction for _, fraction in told.updates] == [
        None,
        0.0,
        50 / 400,
        150 / 400,
        *[150 / 400] * 4,
    ]
    ((_, query),) = played.seen("POST")
    assert (query["fromImage"], query["platform"]) == (["base"], ["linux/arm64"])


def test_pull_of_an_unnamed_layer(engine: Played) -> None:
    engine[0].answers["POST /images/create"] = events(layer(None, 1, 2))
    with refused("the engine has nothing"):
        get(engine[1])


@pytest.mark.parametrize(
    "answer",
    [
        events({"status": "Pulling"}, {"error": "manifest unknown"}, {"error": "later"}),
        (404, {"message": "manifest unknown"}),
        (500, {"message": "manifest unknown"}),
    ],
)
def test_pull_that_fails(engine: Played, answer: Answer) -> None:
    engine[0].answers["POST /images/create"] = answer
    with refused("base could not be pulled for arm64: manifest unknown", "--arm64-image"):
        get(engine[1])


def test_wrong_architecture_after_the_pull(engine: Played) -> None:
    has(engine[0], "base", Architecture="amd64")
    engine[0].answers["POST /images/create"] = events({"status": "Done"})
    with refused("requested for arm64, and the engine has amd64", "why it matters"):
        get(engine[1])
    assert len(engine[0].seen("POST")) == 1


@pytest.mark.parametrize(
    "reference",
    [
        "pytest-arm64/al2023:arm64",
        "docker.io/pytest-arm64/al2023:arm64",
        "index.docker.io/pytest-arm64/al2023:arm64",
        "registry-1.docker.io/pytest-arm64/al2023:arm64",
        "docker.io:443/pytest-arm64/al2023:arm64",
        "Docker.IO/pytest-arm64/al2023",
        "docker.io/library/pytest-arm64/al2023",
        "INDEX.DOCKER.IO/pytest-arm64/al2023",
        "registry.hub.docker.com/pytest-arm64/al2023",
        "docker.io./pytest-arm64/al2023",
        "localhost/pytest-arm64/al2023",
        "docker.io/pytest-arm64/al2023@sha256:" + "0" * 64,
    ],
)
def test_no_spelling_of_an_image_that_is_made_here_is_pulled(
    engine: Played, reference: str
) -> None:
    with refused("never pulled"):
        get(engine[1], reference)
    assert engine[0].seen("POST") == []


@pytest.mark.parametrize(
    "reference",
    [
        "amazonlinux:2023",
        "docker.io/amazonlinux",
        "localhost:5000/pytest-arm64/al2023",
        "registry.example.com/pytest-arm64/al2023",
        "somebody/pytest-arm64",
        "docker.io/somebody/pytest-arm64/x",
        "pytest-arm64",
    ],
)
def test_images_of_registries_are_not_taken_for_those_that_are_made_here(reference: str) -> None:
    assert not is_made_here(reference)


def test_an_engine_that_falls_silent_while_files_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[dict[str, bool]] = []
    ended = threading.Event()

    def chunks() -> Iterator[bytes]:
        yield b"begun"
        ended.wait()

    container = SimpleNamespace(export=chunks, remove=lambda **how: removed.append(how))
    client = SimpleNamespace(containers=SimpleNamespace(create=lambda *_, **__: container))
    silent = SimpleNamespace(client=client, labels={}, patience=Patience(lambda: None))
    monkeypatch.setattr(images, "SILENCE_SECONDS", 0.2)
    with refused("could not be read", "said nothing"):
        export_image(cast("Any", silent), Base("base", "sha256:1", "", "arm64", {}))
    ended.set()
    assert removed == [{"force": True, "v": True}]
