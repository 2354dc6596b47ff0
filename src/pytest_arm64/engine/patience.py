"""A request may take as long as it needs, as long as the engine answers others meanwhile.

A commit of a large image takes a minute where a frozen engine takes for ever; no fixed time
tells them apart, and a second request does. What never takes long has a limit besides: an engine
may answer everything but what concerns one container, whose lock it does not get any more.
"""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

BETWEEN_SECONDS = 5.0
"""How long nothing may come before the engine is asked whether it still lives."""
PING_SECONDS = 8
"""How long it may take to say so; it is asked twice."""
_LET_GO_SECONDS = 5.0


class SilentError(ConnectionError):
    """The engine, or the way to it, has stopped answering."""

    def __init__(self) -> None:
        super().__init__("the engine has stopped answering")


class StuckError(ConnectionError):
    """The engine answers, but not what it was asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the engine has not done in {seconds:.0f} s what takes it a moment; it answers others"
        )


class Patience:
    """Waits for one engine's answers; *ping* raises where it does not answer."""

    def __init__(self, ping: Callable[[], object]) -> None:
        self._ping = ping
        self.lost = False
        """Whether it has stopped answering: then nothing more is asked of it."""

    def check(self) -> None:
        """Return if the engine answers.

        Raises:
            SilentError: it does not.
        """
        for _ in range(2):
            if self.lost:
                break
            try:
                self._ping()
            except Exception:  # noqa: BLE001, S112  (whatever it is, there was no answer)
                continue
            return
        self.lost = True
        raise SilentError

    def wait_for(self, call: Callable[[], T], most: float = math.inf) -> T:
        """What *call* returns or raises.

        Args:
            call: asks the engine.
            most: seconds that it may take on an engine that answers others.

        Raises:
            SilentError: the engine has stopped answering; the call is given up.
            StuckError: the call took too long, and is given up.
        """
        if self.lost:
            raise SilentError
        work = _Work(call)
        end = time.monotonic() + most
        try:
            while not work.done.wait(BETWEEN_SECONDS):
                self.check()
                if time.monotonic() > end:
                    raise StuckError(most)
        except KeyboardInterrupt:
            # What was asked for is about to be there: it can be removed only then.
            work.done.wait(_LET_GO_SECONDS)
            raise
        return work.result()

    def each(self, stream: Iterable[T], seconds: float) -> Iterator[T]:
        """Everything that *stream* gives.

        Raises:
            TimeoutError: nothing came for *seconds*.
        """
        items: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def read() -> None:
            for item in stream:
                items.put((True, item))

        work = _Work(read, lambda: items.put((False, None)))
        while True:
            try:
                more, item = items.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError from None
            if not more:
                work.result()
                return
            yield item


class _Work(Generic[T]):
    """A call in a thread of its own."""

    def __init__(self, call: Callable[[], T], after: Callable[[], None] = lambda: None) -> None:
        self.done = threading.Event()
        self._call = call
        self._after = after
        self._value: T | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # noqa: BLE001  (raised where the result is asked for)
            self._error = error
        self.done.set()
        self._after()

    def result(self) -> T:
        self.done.wait()
        if self._error is not None:
            raise self._error
        return cast("T", self._value)
