"""The base of every expected failure, on the host and in a container."""

from __future__ import annotations


class Arm64Error(Exception):
    """Base of every expected failure; shown as text, never as a traceback.

    ``what`` is one sentence, ``why`` says what follows from it, ``next_step`` what to do.
    """

    def __init__(self, what: str, *, why: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.next_step = next_step

    def __str__(self) -> str:
        lines = [self.what]
        if self.why:
            lines.append(f"  why it matters: {self.why}")
        if self.next_step:
            lines.append(f"  next step: {self.next_step}")
        return shown("\n".join(lines))


def shown(text: str) -> str:
    """*text* with escapes for what a terminal would obey: names in errors come from anyone."""
    return "".join(c if c.isprintable() or c in "\n\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
