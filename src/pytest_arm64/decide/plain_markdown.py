"""Text of strangers in Markdown that is shown on a forge."""

from __future__ import annotations

import re

# What GitHub and GitLab make mentions and references of, also where it is escaped: people would
# be notified, and other issues would show a link.
_REFERENCE = re.compile(r"[@#!](?=\w)|\bGH-(?=\d)")
_ZERO_WIDTH = "\u200b"


def without_mentions(text: str) -> str:
    """*text*, of which Markdown that is shown on a forge mentions nobody and refers to nothing."""
    return _REFERENCE.sub(lambda sign: sign[0] + _ZERO_WIDTH, text)


def plain(text: str) -> str:
    """*text* in one line of Markdown, with nothing in it that Markdown or HTML would obey."""
    line = "".join(c if c.isprintable() else " " for c in text)
    line = without_mentions(line)
    for character in "\\`*_[]<>|#":
        line = line.replace(character, "\\" + character)
    return line
