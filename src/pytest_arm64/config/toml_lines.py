"""Where a key stands in a TOML file: the parser of the standard library keeps no lines."""

from __future__ import annotations

import re

_HEADER = re.compile(r"\s*\[{1,2}([^\[\]#]+)\]{1,2}\s*(?:#.*)?\Z")
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*(?:\.|\Z)""")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_.\s-])+?)\s*=""")


def line_of(text: str, table: tuple[str, ...], key: str = "") -> int:
    """Number of the line of *text* that has *key* of *table*, or the table's header.

    A best effort for messages: 0 where neither is found. Dotted keys and tables inside a line
    count as a part of the line that they stand in; text in strings of several lines may deceive.
    """
    wanted = (*table, key) if key else table
    here: tuple[str, ...] = ()
    best = 0
    deepest = 0
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        pair = None if header else _KEY.match(line)
        if header:
            here = _parts(header[1])
            keys = here
        elif pair:
            keys = (*here, *_parts(pair[1]))
        else:
            continue
        depth = min(len(keys), len(wanted))
        if keys[:depth] == wanted[:depth] and depth > deepest:
            best, deepest = number, depth
    return best if deepest >= len(table) else 0


def _parts(dotted: str) -> tuple[str, ...]:
    keys = []
    position = 0
    while position < len(dotted):
        part = _PART.match(dotted, position)
        if part is None or part.end() == position:
            return (dotted.strip(),)
        keys.append(next(value for value in part.groups() if value is not None))
        position = part.end()
    return tuple(keys)
