"""Waiting for an engine: as long as it lives, and no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from pytest_arm64.engine import patience
from pytest_arm64.engine.patience import Patience, SilentError, StuckError


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BETWEEN_SECONDS", 0.02)


def fails() -> None:
    raise OSError("no answer")


def test_what_the_call_returns_or_raises() -> None:
    waiting = Patience(fails)
    assert waiting.wait_for(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        waiting.wait_for(lambda: 1 // 0)


def test_a_slow_call_of_an_engine_that_lives() -> None:
    pings: list[float] = []

    def slow() -> str:
        while len(pings) < 5:
            time.sleep(0.005)
        return "done"

    assert Patience(lambda: pings.append(1)).wait_for(slow) == "done"


def test_an_engine_that_answers_nothing_any_more() -> None:
    never = threading.Event()
    waiting = Patience(fails)
    with pytest.raises(SilentError):
        waiting.wait_for(never.wait)
    assert waiting.lost
    with pytest.raises(SilentError):
        waiting.wait_for(lambda: pytest.fail("nothing more is asked of it"))
    never.set()


def test_a_call_that_never_ends_on_an_engine_that_answers_others() -> None:
    never = threading.Event()
    waiting = Patience(lambda: None)
    with pytest.raises(StuckError, match="it answers others"):
        waiting.wait_for(never.wait, 0.1)
    assert not waiting.lost
    assert waiting.wait_for(lambda: 7, 0.1) == 7
    never.set()


def test_one_ping_may_be_lost() -> None:
    pings: list[int] = []

    def once() -> None:
        pings.append(1)
        if len(pings) == 1:
            fails()

    waiting = Patience(once)
    waiting.check()
    assert not waiting.lost


def test_an_interrupt_waits_for_what_was_asked() -> None:
    made: list[str] = []

    def interrupted() -> None:
        raise KeyboardInterrupt

    def create() -> None:
        time.sleep(0.2)
        made.append("container")

    with pytest.raises(KeyboardInterrupt):
        Patience(interrupted).wait_for(create)
    assert made == ["container"]


def test_each_item_of_a_stream() -> None:
    assert list(Patience(fails).each(iter("abc"), 5.0)) == ["a", "b", "c"]


def test_a_stream_that_falls_silent_and_one_that_breaks() -> None:
    never = threading.Event()

    def silent() -> Iterator[int]:
        yield 1
        never.wait()

    def broken() -> Iterator[int]:
        yield 1
        raise OSError("cut")

    seen: list[int] = []
    with pytest.raises(TimeoutError):
        seen.extend(Patience(fails).each(silent(), 0.05))
    never.set()
    with pytest.raises(OSError, match="cut"):
        seen.extend(Patience(fails).each(broken(), 5.0))
