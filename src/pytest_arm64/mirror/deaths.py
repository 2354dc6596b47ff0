"""How a process inside died, in words: what killed it, where, and what it said last."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lambda_hints import lambda_hints, lambda_hints_of_signal
from .task import End

KEPT = 4000
"""How much of the last output a report shows, in characters."""
MORE_SHARED_MEMORY = (
    'give it more: shm-size = "1GB" in [tool.pytest-arm64], or --arm64-shm-size 1GB'
)
SECOND_TRY = "arm64_second_try"
"""Property of a report: on which core a crash was repeated, and what became of it."""
_HELD_BACK = 64_000
_REMEMBERED = 32_000
_REPEATED = 3
"""Lines that a problem of the run repeats of what was shown already."""

# What faulthandler says first; nothing but a death follows. It is shown once, in the report.
_FATAL = re.compile(rb"^(?:Fatal Python error: |Timeout \(\d+:\d\d:\d\d(?:\.\d+)?\)!$)", re.M)
# Signals that faulthandler explains.
_EXPLAINED = ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT")
# Frames of whoever runs the test, below the test's own.
_RUNNER = re.compile(
    r'  File ".*[/\\](?:_pytest|pluggy|xdist|execnet|pytest_arm64_inside)[/\\][^"]*", line \d+'
    r"|  File \"<string>\", line \d+ in <module>"
)


@dataclass(frozen=True)
class Ground:
    """What there is to say of the place of a death."""

    where: str
    """Machine, native or emulated, core."""
    lacks: str = ""
    """What the core does not have and its successors have."""
    timeout: float = 0.0
    """Seconds that a test may take, 0 for any."""
    shm_size: int = 0
    """Bytes of ``/dev/shm``; 0 where they are not known."""
    limited: bool = False
    """Whether it has the limits of a Lambda function."""

    def cause(self, end: End, said: str = "") -> str:
        """*end* in words, with what *said*, the last output, tells of it."""
        text = f"{end} ({self.where})"
        if self.timeout and (end.overdue or (end.code == 1 and "Timeout (" in said)):
            text = f"it took longer than --arm64-timeout allows, {self.timeout:g} s ({self.where})"
        if end.signal == "SIGILL" and self.lacks:
            text += f"\nan instruction that this core does not have: {self.lacks}"
        if end.signal == "SIGBUS" and self.shm_size:
            text += (
                f"\na bus error, as where /dev/shm is full: it has {self.shm_size >> 20} MB\n"
                f"  next step: {MORE_SHARED_MEMORY}"
            )
        if end.detail:
            text += f"\n{end.detail}"
        if self.limited:
            text = "\n".join([text, *(lambda_hints(said) or lambda_hints_of_signal(end.signal))])
        return text


@dataclass(frozen=True)
class SecondTry:
    """What became of a test that crashed under emulation when it was repeated on another core."""

    core: str
    outcome: str = ""
    """``passed``, ``failed``, ``died``; empty where it did not come to its end."""

    def __str__(self) -> str:
        where = f"repeated once on {self.core}, also emulated:"
        return {
            "passed": f"MAYBE THE EMULATOR: {where} it passed\n"
            "  next step: run this test on an ARM machine",
            "died": f"{where} it died again, so the emulator is less likely the cause",
            "failed": f"{where} it failed and did not die",
        }.get(self.outcome, f"it may be the emulator; {where} it did not come to its end")

    @property
    def properties(self) -> list[tuple[str, object]]:
        """For the report of the test."""
        return [(SECOND_TRY, f"{self.core}: {self.outcome or 'unknown'}")]


class LastWords:
    """The end of what a process printed, and what of it is not to be shown yet."""

    def __init__(self) -> None:
        self._tail = b""
        self._held = b""

    def add(self, data: bytes) -> bytes:
        """Take *data*; what of it may be shown now."""
        if self._held:
            self._held += data
            return self.release() if len(self._held) > _HELD_BACK else b""
        fatal = _FATAL.search(data)
        shown, self._held = (data[: fatal.start()], data[fatal.start() :]) if fatal else (data, b"")
        self._tail = (self._tail + shown)[-_REMEMBERED:]
        return shown

    def release(self) -> bytes:
        """What was held back, where the process goes on after all."""
        held, self._held = self._held, b""
        self._tail = (self._tail + held)[-_REMEMBERED:]
        return held

    @property
    def text(self) -> str:
        """The last output, for people: of faulthandler's stack what is not the runner's."""
        return self._with_held(self._tail.decode("utf-8", "replace").strip()[-KEPT:])

    @property
    def brief(self) -> str:
        """The same where all that was not held back stands above: of that the last lines."""
        shown = self._tail.decode("utf-8", "replace").strip()
        return self._with_held("\n".join(shown.splitlines()[-_REPEATED:])[-KEPT:])

    def _with_held(self, before: str) -> str:
        held = self._held.decode("utf-8", "replace").strip()
        if not held:
            return before
        return f"{before[-KEPT // 2 :]}\n{_shortened(held)}".strip()[: 2 * KEPT]

    def of_worker(self, end: End) -> str:
        """What a worker of pytest-xdist, one of several that print here, said when it ended so."""
        fatal = list(_FATAL.finditer(self._tail))
        if not fatal or (end.signal not in _EXPLAINED and end.code != 1):
            return ""
        words = self._tail[fatal[-1].start() :]
        self._tail = self._tail[: fatal[-1].start()]
        return _shortened(words.decode("utf-8", "replace").strip())[:KEPT]


def _shortened(text: str) -> str:
    lines: list[str] = []
    left_out = 0
    for line in text.splitlines():
        if _RUNNER.match(line):
            left_out += 1
            continue
        if left_out:
            lines.append(f"  … {left_out} frames of the test runner")
            left_out = 0
        lines.append(line)
    if left_out:
        lines.append(f"  … {left_out} frames of the test runner")
    return "\n".join(lines)
