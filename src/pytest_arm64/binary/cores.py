"""Code that not every Graviton can run, seen without running it: a hint, never a verdict."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ..inside.frames import EVERYTHING
from .elf import Buffer
from .instructions import FIRST_CORE, Instructions, NewerFunction, read_instructions
from .packages import OwningPackage
from .record import CORE_CODE, NEWER_CORE, AbiFinding, AbiRecord

_SECONDS = 10.0
"""Of the processor, for all files; a file that is not read has no hint."""
_SHOWN = 8


class CoreScan:
    """Called with each compiled file while its content is at hand."""

    def __init__(self) -> None:
        self._read: dict[str, Instructions] = {}
        self._until = time.thread_time() + _SECONDS

    def __call__(self, path: str, data: Buffer) -> None:
        if time.thread_time() < self._until:
            self._read[path] = read_instructions(data)

    def findings(self, root: str, owners: Mapping[str, OwningPackage]) -> Iterator[AbiFinding]:
        """What was seen, none of it grave; paths are relative to *root*."""
        for path, found in sorted(self._read.items()):
            owner = owners.get(path)
            shown = path.removeprefix(root.rstrip("/") + "/")
            package = owner.name if owner is not None else ""
            for kind, extension, text, symbols in _seen(found):
                yield AbiFinding(
                    shown,
                    kind,
                    text,
                    grave=False,
                    package=package,
                    symbols=symbols,
                    remedy=_advice(kind, extension),
                    extension=extension,
                )


class CoreCode(NamedTuple):
    """Code that Graviton2 does not run, or must not run."""

    core: str
    """The first core that runs all of it."""
    packages: tuple[str, ...]
    """Whose it is: ``numpy 2.4.6``, or a file's path where no package is known to have it."""
    extensions: tuple[str, ...]
    files: Mapping[str, tuple[str, ...]]
    """By path, as the record spells it: the top-level modules of its package, or ``*``."""


def core_code(record: AbiRecord, outside: str) -> CoreCode | None:
    """The code of *record* that Graviton2 does not run; None where none was seen.

    Files below the folder *outside*, a path as *record* spells it, do not count.
    """
    findings = [
        finding
        for finding in record.findings
        if finding.extension in FIRST_CORE and not finding.path.startswith(outside)
    ]
    if not findings:
        return None
    extensions = sorted({finding.extension for finding in findings})
    packages = sorted({" ".join(f.package.rsplit("-", 1)) or f.path for f in findings})
    core = max(FIRST_CORE[extension] for extension in extensions)
    files = {finding.path: _modules(record, finding.package) for finding in findings}
    return CoreCode(core, tuple(packages), tuple(extensions), files)


def _modules(record: AbiRecord, package: str) -> tuple[str, ...]:
    """Top-level modules in which *package* has compiled files; ``*`` where that is not known."""
    names = set()
    for file in record.files if package else ():
        _, folder, inside = file.path.rpartition("-packages/")
        if file.package == package and folder:
            top = inside.partition("/")[0]
            names.add(top.partition(".")[0] if top == inside else top)
    return tuple(sorted(name for name in names if not name.endswith(".libs"))) or (EVERYTHING,)


def _seen(found: Instructions) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Kind, extension, text and functions of each thing that was seen."""
    plain = _by_extension(f for f in found.functions if not f.dispatched)
    for extension, functions in plain.items():
        text = (
            f"it has {extension} instructions, which Graviton2 does not have, in functions whose "
            "names do not say that they are chosen by processor"
        )
        yield NEWER_CORE, extension, text, _names(functions)
    for extension, functions in _by_extension(f for f in found.functions if f.dispatched).items():
        text = f"it has code for processors with {extension}, which Graviton2 never runs"
        yield CORE_CODE, extension, text, _names(functions)
    named = {function.extension for function in found.functions}
    for extension, words in found.nameless.items():
        if extension not in named:
            text = f"it has {words} instructions of {extension} in code without names"
            yield CORE_CODE, extension, text, ()


def _by_extension(functions: Iterable[NewerFunction]) -> Mapping[str, list[NewerFunction]]:
    groups: defaultdict[str, list[NewerFunction]] = defaultdict(list)
    for function in functions:
        groups[function.extension].append(function)
    return groups


def _names(functions: Iterable[NewerFunction]) -> tuple[str, ...]:
    return tuple(function.name for function in functions)[:_SHOWN]


def _advice(kind: str, extension: str) -> str:
    if kind == NEWER_CORE:
        return (
            "run its tests on Graviton2, which --arm64-cpu graviton2 emulates: a call that is not "
            "guarded dies of SIGILL there"
        )
    return f"to run this code as well: --arm64-cpu graviton2,{FIRST_CORE[extension]}"
