"""Images of ours: known by a label that nobody else can make, and held within bounds."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pytest_arm64.engine import seals
from pytest_arm64.engine.image_uses import (
    MadeImage,
    made_images,
    remember_use,
    remove_images,
    surplus,
)
from pytest_arm64.engine.seals import BASE_LABEL, NAME_LABEL, SEAL_LABEL, is_ours, sealed

TAG = "pytest-arm64/run:1"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return seals.secret_path()


def test_an_image_of_ours_is_known_again(folders: Path) -> None:
    labels = sealed(TAG, {BASE_LABEL: "sha256:1", "more": "x"})
    assert is_ours(labels)
    assert labels["more"] == "x"
    assert folders.stat().st_mode & 0o777 == 0o600
    assert len(folders.read_bytes()) == 32


@pytest.mark.parametrize(
    "change",
    [
        {NAME_LABEL: "pytest-arm64/run:2"},
        {BASE_LABEL: "sha256:2"},
        {SEAL_LABEL: "0" * 64},
        {SEAL_LABEL: ""},
        {SEAL_LABEL: "\u00e9"},
    ],
)
def test_an_image_with_other_labels_is_not(change: dict[str, str]) -> None:
    assert not is_ours({**sealed(TAG, {BASE_LABEL: "sha256:1"}), **change})


def test_images_without_labels_are_not() -> None:
    assert not is_ours({})
    assert not is_ours(None)


def test_another_user_makes_other_seals(folders: Path) -> None:
    labels = sealed(TAG, {})
    folders.unlink()
    assert not is_ours(labels)


@pytest.mark.parametrize("spoil", ["readable", "empty", "link", "pipe"])
def test_a_secret_that_others_may_know_is_replaced(folders: Path, spoil: str) -> None:
    labels = sealed(TAG, {})
    if spoil == "readable":
        folders.chmod(0o644)
    elif spoil == "empty":
        folders.write_bytes(b"")
    else:
        folders.rename(folders.with_name("elsewhere"))
        if spoil == "link":
            folders.symlink_to("elsewhere")
        else:
            os.mkfifo(folders)
    assert not is_ours(labels)
    assert is_ours(sealed(TAG, {}))
    assert folders.stat().st_mode & 0o777 == 0o600


def test_where_nothing_can_be_written_seals_stay_the_same(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders.parent.parent.mkdir(parents=True, exist_ok=True)
    folders.parent.write_text("a file")
    assert is_ours(sealed(TAG, {}))


def engine_with(*images: dict[str, Any]) -> tuple[Any, list[str]]:
    removed: list[str] = []

    def remove(identifier: str) -> None:
        from docker.errors import APIError

        if identifier == "in use":
            raise APIError("conflict")
        removed.append(identifier)

    api = SimpleNamespace(images=lambda: list(images), remove_image=remove)
    return cast("Any", SimpleNamespace(client=SimpleNamespace(api=api))), removed


def image(name: str, base: str = "", size: int = 1, created: int = 0) -> dict[str, Any]:
    tag = f"pytest-arm64/x:{name.replace(' ', '-')}"
    labels = sealed(tag, {BASE_LABEL: base})
    return {"Id": name, "Labels": labels, "RepoTags": [tag], "Size": size, "Created": created}


def test_images_are_listed_by_their_last_use_and_their_own_size() -> None:
    engine, _ = engine_with(
        {"Id": "debian", "Labels": None, "Size": 100},
        image("env", "debian", 150, created=10),
        image("run", "env", 155, created=20),
        image("old", "debian", 130, created=15),
        {**image("theirs", "debian"), "RepoTags": ["shop:1"]},
        {"Id": "foreign", "Labels": {NAME_LABEL: TAG}, "RepoTags": [TAG], "Size": 9},
    )
    listed = made_images(engine)
    assert [(i.id, i.size, i.used) for i in listed] == [
        ("old", 30, 15.0),
        ("run", 5, 20.0),
        ("env", 50, 20.0),
    ]
    remember_use("pytest-arm64/x:old")
    assert [i.id for i in made_images(engine)][-1] == "old"


def made(*sizes: int) -> list[MadeImage]:
    return [MadeImage(str(number), "", size, float(number)) for number, size in enumerate(sizes)]


Choose = Callable[[list[MadeImage]], list[MadeImage]]


@pytest.mark.parametrize(
    ("choose", "gone"),
    [
        (surplus, 0),
        (lambda images: surplus(images, most_images=2), 2),
        (lambda images: surplus(images, most_bytes=25), 2),
        (lambda images: surplus(images, unused_since=3.0), 3),
        (lambda images: surplus(images, most_images=0), 4),
    ],
)
def test_the_least_recently_used_go_first(choose: Choose, gone: int) -> None:
    assert [i.id for i in choose(made(10, 10, 10, 10))] == [str(n) for n in range(gone)]


def test_what_is_in_use_stays() -> None:
    engine, removed = engine_with()
    images = [MadeImage(name, "", 1, 0.0) for name in ("a", "in use", "b")]
    assert [i.id for i in remove_images(engine, images)] == ["a", "b"]
    assert removed == ["a", "b"]
