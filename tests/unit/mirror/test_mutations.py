"""A mirror that is broken on purpose: every break must end in a failure that says what broke."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_arm64.inside import frames
from pytest_arm64.inside.frames import Frame, LogFinish, LogStart, PhasePassed
from pytest_arm64.inside.ran import Ran
from pytest_arm64.run.place import Place
from unit.mirror import scripted
from unit.mirror.scripted import Scripted, encoded, reported, session

pytest_plugins = ("pytester",)


class Places:
    def __init__(self, transport: Scripted) -> None:
        self._transport = transport

    @pytest.hookimpl
    def pytest_arm64_place(self) -> Any:
        return self._place()

    @contextmanager
    def _place(self) -> Iterator[Place]:
        yield Place(transport=self._transport, header=(), ran=Ran(), where="nowhere")


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


Sent = list[Frame | list[object]]


def changed(change: Callable[[Sent], object]) -> bytes:
    """A good session of three tests, broken by *change*."""
    sent: Sent = [*session(IDS)]
    change(sent)
    return encoded(sent)


def index(sent: Sent, kind: type[Frame], nth: int = 0) -> int:
    return [at for at, frame in enumerate(sent) if type(frame) is kind][nth]


def dropped(kind: type[Frame], nth: int = 0) -> bytes:
    return changed(lambda sent: sent.pop(index(sent, kind, nth)))


def doubled(kind: type[Frame], nth: int = 0) -> bytes:
    def change(sent: Sent) -> None:
        at = index(sent, kind, nth)
        sent.insert(at, sent[at])

    return changed(change)


def swapped(one: type[Frame], other: type[Frame]) -> bytes:
    def change(sent: Sent) -> None:
        a, b = index(sent, one), index(sent, other)
        sent[a], sent[b] = sent[b], sent[a]

    return changed(change)


def stopped_at(kind: type[Frame], nth: int = 0) -> bytes:
    return changed(lambda sent: sent.__delitem__(slice(index(sent, kind, nth), None)))


def without_test(nodeid: str) -> bytes:
    return changed(
        lambda sent: sent.__setitem__(
            slice(None),
            [f for f in sent if not (isinstance(f, EVENTS) and f.nodeid == nodeid)],
        )
    )


def with_frame(frame: Frame | list[object], before: type[Frame]) -> bytes:
    return changed(lambda sent: sent.insert(index(sent, before), frame))


EVENTS = (LogStart, PhasePassed, LogFinish)
GOOD = encoded(session(IDS))

MUTATIONS: dict[str, tuple[bytes, int | None, str]] = {
    "no frame at all": (b"", 0, "died before it collected"),
    "hello only": (stopped_at(frames.SessionStarted), 0, "died before it collected"),
    "nothing collected": (dropped(frames.ItemsCollected), 0, "reported more often than collected"),
    "no start of a test": (dropped(LogStart), 0, "without its start"),
    "no finish of a test": (dropped(LogFinish), 0, "never reported"),
    "no report of a call": (dropped(PhasePassed, 1), 0, "without a report of its outcome"),
    "no report at all of a test": (
        changed(lambda f: f.__setitem__(slice(5, 8), [])),
        0,
        "without a report of its outcome",
    ),
    "no end of the session": (dropped(frames.SessionFinished), 0, "without a session's end"),
    "no exit": (dropped(frames.Exited), 0, "died after its session"),
    "no end of the loop": (dropped(frames.LoopEnded), 0, "never said that its tests were over"),
    "no end of the collection": (
        dropped(frames.CollectionEnded),
        0,
        "never said that its tests were over",
    ),
    "a test twice": (
        changed(lambda f: f.__setitem__(slice(5, 5), scripted.test("t.py::a"))),
        0,
        "reported more often than collected",
    ),
    "a finish of a test twice": (doubled(LogFinish), 0, "reported more often than collected"),
    "a test that nobody collected": (
        changed(lambda f: f.__setitem__(slice(4, 4), scripted.test("t.py::x"))),
        0,
        "reported more often than collected",
    ),
    "a test is left out": (without_test("t.py::b"), 0, "never reported"),
    "finish before its start": (swapped(LogStart, LogFinish), 0, "without its start"),
    "exit before the tests": (
        swapped(frames.CollectionEnded, frames.Exited),
        0,
        "came after its end",
    ),
    "stops in a test": (stopped_at(LogFinish, 1), 0, "the process that ran this test died"),
    "stops between tests": (stopped_at(LogStart, 1), 0, "died between two tests"),
    "says green, was red": (with_frame(reported("t.py::a"), LogFinish), 0, "says 0 and 1 failures"),
    "says that it ran nothing": (
        changed(
            lambda f: f.__setitem__(
                slice(-2, None), [frames.SessionFinished(5, None, 5), frames.Exited(5, [])]
            )
        ),
        5,
        "says that it ran no test",
    ),
    "a rerun that never came": (
        with_frame(reported("t.py::a", "rerun"), LogFinish),
        0,
        "1 collected tests were never reported",
    ),
    "two statuses": (
        changed(lambda f: f.__setitem__(-1, frames.Exited(5, []))),
        5,
        "ended with status 0 and its process with 5",
    ),
    "dies with a status after saying 0": (GOOD, 9, "said 0 and ended with exit code 9"),
    "last line cut": (GOOD[:-4], 0, "ended inside a frame"),
    "a frame cut short": (GOOD[: len(GOOD) // 2], 0, "died"),
    "garbage line": (
        with_frame(["x"], frames.LoopEnded).replace(b'["x"]', b"#!garbage"),
        0,
        "sent an invalid frame",
    ),
    "unknown frame": (with_frame(["NeverHeardOf", 1], frames.LoopEnded), 0, "unknown frame"),
    "frame without values": (with_frame(["LogFinish"], frames.LoopEnded), 0, "cannot be used"),
    "frame with too many": (
        with_frame(["LogFinish", "t.py::a", None, 1], frames.LoopEnded),
        0,
        "cannot be used",
    ),
    "values of another type": (
        with_frame(["LogStart", 1, ["t.py", 1, "a"]], frames.LoopEnded),
        0,
        "a LogStart frame cannot be used: 1 is not a str",
    ),
    "a report of another shape": (
        with_frame(reported("t.py::a")._replace(data={"sections": 3}), LogFinish),
        0,
        "a report from the session inside cannot be used",
    ),
    "a warning whose category is no name": (
        with_frame(
            frames.WarningRecorded(
                [("lib", "a\0b"), ("builtins", "Warning")],
                "m",
                "f",
                1,
                "runtest",
                "",
                None,
                "",
                False,
            ),
            LogFinish,
        ),
        0,
        "a warning from the session inside cannot be used",
    ),
    "another protocol": (
        changed(lambda f: f.__setitem__(0, frames.Hello(99, 1, 2, "9.0"))),
        0,
        "speaks protocol 99",
    ),
    "connection lost": (stopped_at(LogFinish, 1), None, "connection to it is gone"),
    "connection lost at the end": (dropped(frames.Exited), None, "died after its session"),
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
    ("kind", "nth", "outcome"),
    [(PhasePassed, 4, "1 failed, 2 passed"), (LogFinish, 1, "3 passed, 1 error")],
)
def test_a_death_goes_on_in_another_process(
    run: Run, kind: type[Frame], nth: int, outcome: str
) -> None:
    """In the test itself, or after its outcome was reported."""
    rest = [f for f in session(IDS, status=1) if not isinstance(f, EVENTS) or f.nodeid == IDS[2]]
    status, text = run((stopped_at(kind, nth), -9), (encoded(rest), 1))
    assert status == 1
    assert outcome in text
    assert "killed by SIGKILL" in text


def test_pytest_says_how_many_were_there_where_the_collection_was_filtered(run: Run) -> None:
    sent = session(IDS[:1])
    sent.insert(2, frames.Deselected(list(IDS[1:])))
    status, text = run((encoded(sent), 0))
    assert status == 0
    assert "1 passed, 2 deselected" in text
