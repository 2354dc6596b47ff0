"""What one test shows on ARM64 and another thing on x86, told as a finding of that test."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..inside.golden.explain import printable
from .unseen_session import Outcome

# What tells of time, threads or ptrace, which an emulator has its own way with.
_SUSPECT = re.compile(
    r"time ?d? ?out|deadline|elapsed|perf_counter|monotonic|duration|ptrace|perf_event"
    r"|can't start new thread|FlakyReplay|Unreliable",
    re.IGNORECASE,
)

# Of a death what killed it: where it was and what was printed last are not the same anywhere.
_DEATH = re.compile(r"the process that ran this test died: (?:killed by \w+|[^\n(]+)")


@dataclass(frozen=True)
class Here:
    """What became of a test on ARM64."""

    outcome: str
    text: str = ""


def difference(here: Here, x86: Outcome | None, *, emulated: bool) -> str:
    """The finding, empty where both sides agree; *x86* is None where it did not run there."""
    if x86 is None:
        return "this test was not collected on linux/amd64"
    if here.outcome == x86.outcome:
        if here.outcome in ("failed", "error") and crash(here.text) != crash(x86.text):
            return (
                f"on linux/amd64 it fails otherwise: {printable(crash(x86.text))}\n"
                f"on ARM64: {printable(crash(here.text))}"
            )
        return ""
    text = f"on ARM64 it {_word(here.outcome)}, on linux/amd64 it {_word(x86.outcome)}"
    if x86.text and x86.bad:
        text += f": {printable(crash(x86.text))}"
    if emulated and not x86.bad and _SUSPECT.search(here.text):
        text += (
            "\nemulator-suspect: the failure speaks of time, threads or ptrace, which emulation "
            "changes; a native run decides"
        )
    return text


def common_failure(here: Here, x86: Outcome | None) -> bool:
    """Whether the test fails on both sides for the same reason."""
    return (
        x86 is not None
        and x86.bad
        and here.outcome == x86.outcome
        and crash(here.text) == crash(x86.text)
    )


def crash(text: str) -> str:
    """The line that says why, without addresses and times: ``E   ValueError: …``."""
    death = _DEATH.match(text)
    if death:
        return death[0].strip()
    lines = [line[1:].strip() for line in text.splitlines() if re.match(r"E\s", line)]
    reason = lines[0] if lines else (text.strip().splitlines() or [""])[-1]
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", reason)


def _word(outcome: str) -> str:
    words = {"passed": "passes", "failed": "fails", "error": "ends in an error"}
    return words.get(outcome) or f"is {outcome}"
