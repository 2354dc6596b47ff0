"""One index that cannot be read: the others count, as for pip, and nothing is said for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_arm64.audit.matrix import BLOCKER, PURE, UNKNOWN
from unit.index.served import Played, Project, matrix_of, release, serve

pytestmark = pytest.mark.usefixtures("index_alone")

X86 = "cp312-cp312-manylinux_2_17_x86_64"
PROJECTS: dict[str, Project] = {
    "pure": release("pure", "1.0", "py3-none-any"),
    "compiled": release("compiled", "1.0", X86),
}


@pytest.fixture(name="index")
def _index() -> Iterator[Played]:
    with serve(PROJECTS) as played:
        yield played


@pytest.fixture(name="closed")
def _closed() -> str:
    """The address of an index that refuses connections."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{place.getsockname()[1]}/simple"


def test_an_extra_index_that_refuses_connections_is_a_note(
    tmp_path: Path, index: Played, closed: str
) -> None:
    text = f"--extra-index-url {closed}\npure\n"
    matrix = matrix_of(tmp_path, text, index.url)
    assert matrix["pure"].state == PURE
    assert matrix.ready
    (note,) = [note for note in matrix.notes if closed in note]
    assert "connection refused" in note


def test_the_first_index_may_be_the_one_that_cannot_be_read(
    tmp_path: Path, index: Played, closed: str
) -> None:
    matrix = matrix_of(tmp_path, f"--extra-index-url {index.url}\npure\n", closed)
    assert matrix["pure"].state == PURE
    assert [note for note in matrix.notes if closed in note]


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_extra_index_that_answers_with_an_error_is_a_note(
    tmp_path: Path, index: Played, status: int
) -> None:
    with serve({}) as other:
        other.answers = {"/simple/pure/": (status, {}, b"no")}
        matrix = matrix_of(tmp_path, f"--extra-index-url {other.url}\npure\n", index.url)
    assert matrix["pure"].state == PURE
    assert [note for note in matrix.notes if str(status) in note]


@pytest.mark.parametrize("line", ["gone\n", "pure==9\n", "pure>=2\n"])
def test_nothing_is_missing_that_the_unread_index_may_have(
    tmp_path: Path, index: Played, closed: str, line: str
) -> None:
    matrix = matrix_of(tmp_path, f"--extra-index-url {closed}\n{line}", index.url)
    (row,) = matrix.deployed
    assert (row.state, row.cause) == (UNKNOWN, "unreadable")
    assert "connection refused" in row.detail
    assert row.remedy is None


def test_what_is_not_green_may_be_better_on_the_unread_index(
    tmp_path: Path, index: Played, closed: str
) -> None:
    matrix = matrix_of(tmp_path, f"--extra-index-url {closed}\ncompiled\npure\n", index.url)
    assert matrix["compiled"].state == BLOCKER
    assert not matrix.complete
    (problem,) = matrix.problems
    assert closed in problem
    assert "compiled" in problem


def test_the_only_index_refuses_connections(tmp_path: Path, closed: str) -> None:
    matrix = matrix_of(tmp_path, "pure\ncompiled\nother\n", closed)
    for row in matrix.deployed:
        assert row.state == UNKNOWN
        assert "connection refused" in row.detail
        assert "time" not in row.detail


def test_a_host_that_does_not_exist_is_said_as_such(tmp_path: Path) -> None:
    matrix = matrix_of(tmp_path, "pure\n", "http://host.invalid/simple")
    assert "the name of the host cannot be resolved" in matrix["pure"].detail
