"""Ctrl-C and SIGTERM: while a session runs inside, first a word to it, then the end; else the end.

Python itself raises KeyboardInterrupt for Ctrl-C, wherever the main thread is. SIGTERM, which would
end the process without a word, is handled in the same way for the whole run.

Where pytest already ends because of the first, it would answer another Ctrl-C by a traceback: then
the process ends at once, and the watcher removes its containers.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""Exit status of a run that SIGTERM has ended."""
TERMINATION_SECONDS = 5.0
"""How long the session inside has for its end after SIGTERM."""


class Terminated(KeyboardInterrupt):
    """SIGTERM has come where no session inside could be asked to stop."""


def raise_terminated() -> Callable[[], None]:
    """Have SIGTERM raise ``Terminated`` from now on; returns what undoes it.

    A process that ignores the signal goes on to do so.
    """
    before, interrupt = map(signal.getsignal, (signal.SIGTERM, signal.SIGINT))
    if before is signal.SIG_IGN or threading.current_thread() is not threading.main_thread():
        return lambda: None

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (of a signal handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one does not wait for the end
        raise Terminated

    def undo() -> None:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)

    signal.signal(signal.SIGTERM, handle)
    return undo


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
    came = []

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (of a signal handler)
        came.append(number)
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
        if came and before[signal.SIGINT] is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  (of a signal handler)
    os.write(2, b"\npytest-arm64: interrupted again, before pytest had ended\n")
    os._exit(2)  # as pytest does where it was interrupted
