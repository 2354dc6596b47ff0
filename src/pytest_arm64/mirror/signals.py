"""Ctrl-C and SIGTERM while a session runs inside: first a word to it, then the end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""Exit status of a run that SIGTERM has ended."""
TERMINATION_SECONDS = 5.0
"""How long the session inside has for its end after SIGTERM."""


@contextmanager
def on_signals(interrupt: Callable[[], None], terminate: Callable[[], None]) -> Iterator[None]:
    """The first signal calls its function, so that no byte on its way is lost; the next one of
    either kind ends at once, as KeyboardInterrupt.

    SIGHUP, with nobody left to tell anything, ends this process as ever: the container goes too.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    acts = {signal.SIGINT: interrupt, signal.SIGTERM: terminate}
    before = {number: signal.getsignal(number) for number in acts}

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (of a signal handler)
        for each in acts:
            signal.signal(each, signal.default_int_handler)
        acts[signal.Signals(number)]()

    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
