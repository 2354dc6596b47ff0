"""The process of a function: started, called, and ended, with what it prints."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from ..bound_stdlib import originals
from .api import CallAwaited, Event, Invocation, ProcessEnded, RuntimeApi
from .client import RuntimeClient
from .record import FunctionRecord

_START = Path(__file__).with_name("bootstrap.py")
_MOST_LOG = 2**20
"""Bytes that are kept of what one call prints: the last ones."""
_NOT_PASSED = ("PYTEST_", "COV_CORE_", "COVERAGE_PROCESS_")
"""How variables begin that belong to the session of the tests."""


class FunctionProcess:
    """One process, and the Runtime API that it talks to."""

    def __init__(self, function: FunctionRecord, client: RuntimeClient) -> None:
        self._api = RuntimeApi()
        task = {
            "client": client.folder,
            "handler": function["handler"],
            "root": function["root"],
            "hidden": list(function["hidden"]),
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-u", str(_START), json.dumps(task)],
                cwd=function["root"],
                env=_variables(function, self._api.address),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # everything that it starts ends with it
            )
        except BaseException:
            self._api.close()
            raise
        assert self._process.stdout is not None
        self._log = _Log(self._process.stdout.fileno())
        self._waiting = threading.Thread(target=self._wait)
        self._waiting.start()

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> None:
        """Let the client, which is ready, have *invocation*."""
        self._api.invoke(invocation)

    def next_event(self, deadline: float) -> Event | None:
        """What happens next; None where nothing does until *deadline* on the monotonic clock."""
        from queue import Empty

        try:
            return self._api.events.get(timeout=max(0.0, deadline - originals.monotonic()))
        except Empty:
            return None

    def settle(self, event: Event | None, deadline: float) -> bool:
        """Wait from *event* until it is ready for another call; False where it never is."""
        while event is not None and not isinstance(event, (ProcessEnded, CallAwaited)):
            event = self.next_event(deadline)
        return isinstance(event, CallAwaited)

    def take_log(self) -> str:
        """What it has printed since the last time."""
        return self._log.take().decode("utf-8", "replace")

    def close(self) -> None:
        """End it, and everything that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._waiting.join()
        self._log.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._api.close()

    def _wait(self) -> None:
        self._api.events.put(ProcessEnded(self._process.wait()))


class _Log:
    """Reads what is printed as it comes, so that a full pipe stops nobody."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        self._lock = threading.Lock()
        self._read = b""
        self._over, self._end = os.pipe()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def take(self) -> bytes:
        """Everything that was printed until now, and not taken yet."""
        self._drain()
        with self._lock:
            taken, self._read = self._read, b""
        return taken

    def close(self) -> None:
        os.close(self._end)
        self._thread.join()
        os.close(self._over)

    def _follow(self) -> None:
        while True:
            readable, _, _ = select.select([self._descriptor, self._over], [], [])
            if self._over in readable or not self._drain():
                return

    def _drain(self) -> bool:
        """Read what is there; False at the end of the file."""
        with self._lock:
            while True:
                try:
                    piece = os.read(self._descriptor, 2**16)
                except BlockingIOError:
                    return True
                if not piece:
                    return False
                self._read = (self._read + piece)[-_MOST_LOG:]


def _variables(function: FunctionRecord, address: str) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED)}
    return {
        **function["defaults"],
        **inherited,
        **function["environment"],
        "_HANDLER": function["handler"],
        "AWS_LAMBDA_RUNTIME_API": address,
        "LAMBDA_TASK_ROOT": function["root"],
    }
