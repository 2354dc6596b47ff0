"""A mirror that is broken on purpose: every break must end in a failure that says what broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_arm64.run.place import Place
from unit.mirror import scripted
from unit.mirror.scripted import Lines, Scripted, encoded, failed, session

pytest_plugins = ("pytester",)


class Places:
    def __init__(self, transport: Scripted) -> None:
        self._transport = transport

    @pytest.hookimpl
    def pytest_arm64_place(self) -> Any:
        return self._place()

    @contextmanager
    def _place(self) -> Iterator[Place]:
        yield Place(transport=self._transport, header=(), facts={}, where="nowhere")


Run = Callable[..., "tuple[int, str]"]
IDS = ("t.py::a", "t.py::b", "t.py::c")


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Exit status and text of a host session that mirrors the given processes."""

    def play(*processes: tuple[bytes, int | None], printed: bytes = b"") -> tuple[int, str]:
        places = Places(Scripted(list(processes), printed))
        result = pytester.runpytest_inprocess("--arm64", "-p", "no:cacheprovider", plugins=[places])
        return int(result.ret), result.stdout.str() + result.stderr.str()

    return play


def changed(change: Callable[[Lines], object]) -> bytes:
    """A good session of three tests, broken by *change*."""
    frames = session(IDS)
    change(frames)
    return encoded(frames)


def index(frames: Lines, kind: str, nth: int = 0) -> int:
    return [at for at, frame in enumerate(frames) if frame[0] == kind][nth]


def dropped(kind: str, nth: int = 0) -> bytes:
    return changed(lambda frames: frames.pop(index(frames, kind, nth)))


def doubled(kind: str, nth: int = 0) -> bytes:
    def change(frames: Lines) -> None:
        at = index(frames, kind, nth)
        frames.insert(at, frames[at])

    return changed(change)


def swapped(one: str, other: str) -> bytes:
    def change(frames: Lines) -> None:
        a, b = index(frames, one), index(frames, other)
        frames[a], frames[b] = frames[b], frames[a]

    return changed(change)


def stopped_at(kind: str, nth: int = 0) -> bytes:
    return changed(lambda frames: frames.__delitem__(slice(index(frames, kind, nth), None)))


def without_test(nodeid: str) -> bytes:
    return changed(
        lambda frames: frames.__setitem__(
            slice(None), [f for f in frames if not (f[0] in EVENTS and f[1] == nodeid)]
        )
    )


def with_frame(frame: list[Any], before: str) -> bytes:
    return changed(lambda frames: frames.insert(index(frames, before), frame))


EVENTS = ("logstart", "passed", "logfinish")
GOOD = encoded(session(IDS))

MUTATIONS: dict[str, tuple[bytes, int | None, str]] = {
    "no frame at all": (b"", 0, "died before it collected"),
    "hello only": (stopped_at("session"), 0, "died before it collected"),
    "no collected": (dropped("collected"), 0, "reported more often than collected"),
    "no logstart": (dropped("logstart"), 0, "without its start"),
    "no logfinish": (dropped("logfinish"), 0, "never reported"),
    "no report of a call": (dropped("passed", 1), 0, "without a report of its outcome"),
    "no report at all of a test": (
        changed(lambda f: f.__setitem__(slice(5, 8), [])),
        0,
        "without a report of its outcome",
    ),
    "no finish": (dropped("finish"), 0, "without a session's end"),
    "no exit": (dropped("exit"), 0, "died after its session"),
    "no end of the loop": (dropped("loop"), 0, "never said that its tests were over"),
    "no end of the collection": (dropped("collection"), 0, "never said that its tests were over"),
    "a test twice": (
        changed(lambda f: f.__setitem__(slice(5, 5), scripted.test("t.py::a"))),
        0,
        "reported more often than collected",
    ),
    "a finish of a test twice": (doubled("logfinish"), 0, "reported more often than collected"),
    "a test that nobody collected": (
        changed(lambda f: f.__setitem__(slice(4, 4), scripted.test("t.py::x"))),
        0,
        "reported more often than collected",
    ),
    "a test is left out": (without_test("t.py::b"), 0, "never reported"),
    "finish before its start": (swapped("logstart", "logfinish"), 0, "without its start"),
    "exit before the tests": (swapped("collection", "exit"), 0, "came after its end"),
    "stops in a test": (stopped_at("logfinish", 1), 0, "the process that ran this test died"),
    "stops between tests": (stopped_at("logstart", 1), 0, "died between two tests"),
    "says green, was red": (with_frame(failed("t.py::a"), "logfinish"), 0, "says 0 and 1 failures"),
    "says that it ran nothing": (
        changed(lambda f: f.__setitem__(slice(-2, None), [["finish", 5, None, 5], ["exit", 5]])),
        5,
        "says that it ran no test",
    ),
    "a rerun that never came": (
        with_frame(
            ["report", {**failed("t.py::a")[1], "outcome": "rerun"}, None, None, False], "logfinish"
        ),
        0,
        "1 collected tests were never reported",
    ),
    "two statuses": (
        changed(lambda f: f.__setitem__(-1, ["exit", 5])),
        5,
        "ended with status 0 and its process with 5",
    ),
    "dies with a status after saying 0": (GOOD, 9, "said 0 and ended with exit code 9"),
    "last line cut": (GOOD[:-4], 0, "ended inside a frame"),
    "a frame cut short": (GOOD[: len(GOOD) // 2], 0, "died"),
    "garbage line": (with_frame(["x"], "loop").replace(b'["x"]', b"#!garbage"), 0, "sent no frame"),
    "unknown frame": (with_frame(["never-heard-of", 1], "loop"), 0, "unknown frame"),
    "frame without values": (with_frame(["logfinish"], "loop"), 0, "unknown frame"),
    "values of another type": (with_frame(["logstart", 1, 2], "loop"), 0, "cannot be used"),
    "another protocol": (changed(lambda f: f[0].__setitem__(1, 99)), 0, "speaks protocol 99"),
    "connection lost": (stopped_at("logfinish", 1), None, "connection to it is gone"),
    "connection lost at the end": (dropped("exit"), None, "died after its session"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_mirror_is_never_green(run: Run, name: str) -> None:
    data, code, reason = MUTATIONS[name]
    status, text = run((data, code))
    assert status != 0
    assert reason in text


def test_the_good_one_is_green(run: Run) -> None:
    status, text = run((GOOD, 0))
    assert status == 0
    assert "3 passed" in text
    assert "not complete" not in text


@pytest.mark.parametrize(
    ("frame", "outcome"), [("passed", "1 failed, 2 passed"), ("logfinish", "3 passed, 1 error")]
)
def test_a_death_goes_on_in_another_process(run: Run, frame: str, outcome: str) -> None:
    """In the test itself, or after its outcome was told."""
    rest = [f for f in session(IDS, status=1) if f[0] not in EVENTS or f[1] == IDS[2]]
    dies = stopped_at(frame, 4 if frame == "passed" else 1)
    status, text = run((dies, -9), (encoded(rest), 1))
    assert status == 1
    assert outcome in text
    assert "killed by SIGKILL" in text


def test_pytest_says_how_many_were_there_where_the_collection_was_filtered(run: Run) -> None:
    frames = session(IDS[:1])
    frames.insert(2, ["deselected", list(IDS[1:])])
    status, text = run((encoded(frames), 0))
    assert status == 0
    assert "1 passed, 2 deselected" in text
