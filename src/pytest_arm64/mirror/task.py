"""What the host hands to the agent, and how the agent's process came to its end."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..inside.frames import TaskFile, TerminalLook
from ..inside.ran import Ran

NO_TERMINAL: TerminalLook = {"width": 80, "markup": False, "tty": False}


@dataclass(frozen=True)
class Task:
    """One process of the session inside."""

    args: tuple[str, ...]
    cwd: str
    module: bool
    """Whether the user typed ``python -m pytest``."""
    ran: Ran
    records: Mapping[str, object] = field(default_factory=dict)
    """What the fixtures read of the cell beyond its facts: the wheel matrices."""
    finished: Mapping[str, int] = field(default_factory=dict)
    """Node ids that need not run again, with counts."""
    failed: Sequence[str] = ()
    """Those of them that failed."""
    terminal: TerminalLook = field(default_factory=lambda: NO_TERMINAL)
    """What the host's terminal is like."""
    timeout: float = 0.0
    """Seconds that a test may take, 0 for any."""
    where: str = ""
    """Machine and core, for the report of a death that the session inside sees itself."""
    nonce: str = ""
    """Marks what is printed, so that it can be put in order with the frames."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of this run, beyond those of the place."""

    def encode(self) -> bytes:
        """The file from which the fixtures read it."""
        file: TaskFile = {
            "args": self.args,
            "cwd": self.cwd,
            "module": self.module,
            "facts": self.ran.facts(),
            "records": dict(self.records),
            "finished": dict(self.finished),
            "failed": list(self.failed),
            "terminal": self.terminal,
            "timeout": self.timeout,
            "where": self.where,
            "nonce": self.nonce,
        }
        return json.dumps(file).encode()

    def sent(self) -> bytes:
        """What the agent reads: the file, behind a line with its length in bytes."""
        file = self.encode()
        return b"%d\n%b" % (len(file), file)


@dataclass(frozen=True)
class End:
    """How a process ended: exit code, None where nobody can say (the container is gone)."""

    code: int | None
    detail: str = ""
    """What the place knows of it beyond the code."""
    overdue: bool = False
    """Whether it was killed because its test took too long."""

    @property
    def signal(self) -> str:
        """Name of the signal that ended it, empty where none did.

        A shell or container runtime reports 128 + N, a parent process −N.
        """
        if self.code is None:
            return ""
        number = -self.code if self.code < 0 else self.code - 128
        try:
            return signal.Signals(number).name
        except ValueError:
            return ""

    def __str__(self) -> str:
        if self.code is None:
            return "the container or the connection to it is gone"
        if self.signal:
            return f"killed by {self.signal} (exit code {self.code})"
        return f"exit code {self.code}"
