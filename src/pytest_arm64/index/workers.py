"""A few daemon threads: unlike an executor's, they never keep a finished command alive."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")


def in_background(job: Callable[[], T]) -> Future[T]:
    """A future of what *job* returns or raises in a thread of its own."""
    workers = DaemonWorkers(1)
    future = workers.submit(job)
    workers.close()
    return future


class DaemonWorkers:
    """Runs jobs concurrently; started one by one as they are needed."""

    def __init__(self, count: int = 16) -> None:
        self._count = count
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """A future of what *job* returns or raises."""
        future: Future[T] = Future()
        self._jobs.put((future, job))
        with self._lock:
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._work, daemon=True, name="arm64-audit")
                self._threads.append(thread)
                thread.start()
        return future

    def close(self) -> None:
        """Let the threads end when they have nothing to do; waits for none of them."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            future, job = entry
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = job()
            except BaseException as error:  # noqa: BLE001 - it is the waiting thread's
                future.set_exception(error)
            else:
                future.set_result(result)
