"""What is done to a whole file: bytes are changed, numbers and texts replaced, parts repeated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

NUMBERS = (b"0", b"-1", b"2147483648", b"18446744073709551616", b"1e999", b"9" * 5000)
WORDS = (
    *(b"null", b"true", b"[]", b"{}", b'""', b"NaN", b"\xff\xfe", b"\\ud800", b"\0", b"../../x"),
    *(
        b"/etc/passwd",
        b"\n",
        b"[" * 2000,
        b"{" * 2000,
        b'{"":' * 2000,
        b" " * 9000,
        b"%s",
        b"\x1b[2J",
    ),
)
_NUMBER = re.compile(rb"-?\d+")
_STRING = re.compile(rb'"[^"\n]{0,200}"')


def damaged(seed: bytes, chance: Random, others: Sequence[bytes]) -> bytes:
    """*seed* with one to sixteen changes, mostly near its beginning."""
    data = bytearray(seed)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        reach = min(len(data), chance.choice([64, 600, len(data) or 1]))
        place = chance.randrange(reach) if reach else 0
        change = chance.randrange(8)
        if change == 0:
            data[place : place + 1] = bytes([chance.randrange(256)])
        elif change == 1:
            data[place : place + 8] = chance.choice([b"\xff" * 8, bytes(8), b"\x01" + bytes(7)])
        elif change == 2:
            data[place:place] = chance.choice(WORDS)
        elif change == 3:
            del data[place : place + chance.choice([1, 4, 200])]
        elif change == 4:
            _replace(data, _NUMBER, chance.choice(NUMBERS), chance)
        elif change == 5:
            _replace(data, _STRING, chance.choice(WORDS), chance)
        elif change == 6:
            end = place + chance.choice([8, 80, 800])
            data[place:place] = bytes(data[place:end])
        else:
            other = chance.choice(others)
            start = chance.randrange(len(other) or 1)
            data[place : place + 40] = other[start : start + 40]
    if chance.random() < 0.1:
        del data[chance.randrange(len(data) or 1) :]
    return bytes(data)


def _replace(data: bytearray, pattern: re.Pattern[bytes], by: bytes, chance: Random) -> None:
    matches = list(pattern.finditer(data[:20_000]))
    if matches:
        start, end = chance.choice(matches).span()
        data[start:end] = by
