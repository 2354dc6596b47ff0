"""What real wheels have beyond Graviton2, recorded function by function, and files rebuilt from it.

python tests/core_code.py WHEEL...     write tests/data/core-code.json.xz from these wheels
"""

from __future__ import annotations

import json
import lzma
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pytest_arm64.binary import instructions
from pytest_arm64.binary.elf import Buffer
from pytest_arm64.binary.filetree import zip_tree

DATA = Path(__file__).parent / "data/core-code.json.xz"
_FEW = 4
"""Words of one extension, of which fewer are no function with such code."""


class Function(NamedTuple):
    """A function with such code, or one beside it, in the order of their addresses."""

    name: str
    """Empty where functions were left out."""
    local: bool
    words: Mapping[str, int]


class Library(NamedTuple):
    functions: list[Function]
    nameless: Mapping[str, int]


def recorded() -> dict[str, dict[str, Library]]:
    """Libraries by the name of their wheel, and their path in it."""
    wheels = json.loads(lzma.decompress(DATA.read_bytes()))
    return {
        wheel: {
            path: Library([Function(*function) for function in functions], nameless)
            for path, (functions, nameless) in libraries.items()
        }
        for wheel, libraries in wheels.items()
    }


def libraries_of(wheel: Path) -> Iterator[tuple[str, Library]]:
    """Path and content of each library of *wheel* that has such code."""
    found: dict[str, Library] = {}

    def use(path: str, data: Buffer) -> None:
        library = _library(data)
        if library.functions or library.nameless:
            found[path.removeprefix("/")] = library

    zip_tree(wheel, "/", use)
    yield from found.items()


def _library(data: Buffer) -> Library:
    sections = list(instructions._sections(data))
    code = [s for s in sections if s.kind == 1 and s.flags & 4]
    hits, _ = instructions._hits(data, code)
    named = sorted(instructions._functions(data, sections))
    counts = [dict.fromkeys(hits, 0) for _ in named]
    nameless = dict.fromkeys(hits, 0)
    for extension, addresses in hits.items():
        number = 0
        for address in sorted(addresses):
            while number + 1 < len(named) and named[number + 1].start <= address:
                number += 1
            inside = bool(named) and named[number].start <= address < named[number].end
            (counts[number] if inside else nameless)[extension] += 1
    with_code = [
        number
        for number, words in enumerate(counts)
        if any(count >= _FEW for extension, count in words.items() if extension != "SME")
    ]
    shown = sorted(
        {near for n in with_code for near in (n - 1, n, n + 1) if 0 <= near < len(named)}
    )
    functions: list[Function] = []
    before = -1
    for number in shown:
        if number != before + 1:
            functions.append(Function("", False, {}))
        before = number
        words = {extension: count for extension, count in counts[number].items() if count}
        name = instructions._name(data, sections, named[number].place)
        functions.append(Function(name, named[number].local, words))
    return Library(functions, {e: count for e, count in nameless.items() if count})


def main(wheels: list[str]) -> None:
    content = {Path(wheel).name: dict(libraries_of(Path(wheel))) for wheel in sorted(wheels)}
    text = json.dumps(content, separators=(",", ":")).encode()
    DATA.write_bytes(lzma.compress(text, preset=9))


if __name__ == "__main__":
    main(sys.argv[1:])
