"""Findings that would fail a run, confirmed by a second reader before they do.

Where both readers disagree, the finding says so and fails nothing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .elf import Buffer
from .filetree import Use
from .pages import Pages, congruence
from .record import (
    ABI_MISMATCH,
    MISSING_LIBRARY,
    PAGE_SIZE,
    UNREADABLE,
    WRONG_ARCHITECTURE,
    AbiFinding,
    AbiRecord,
)

if TYPE_CHECKING:
    from .second_reader import SecondReading, Segment

Reread = Callable[[Use, Collection[str]], object]
"""Reads files again: calls the first argument with each path of the second, and its content."""

_CONFIRMABLE = (ABI_MISMATCH, MISSING_LIBRARY, PAGE_SIZE, UNREADABLE, WRONG_ARCHITECTURE)
_SECONDS = 10.0
"""For all files. Those that are left keep the findings of the first reader: others have failed the
run by then.
"""


def confirmed(record: AbiRecord, root: str, pages: Pages, reread: Reread) -> AbiRecord:
    """*record* with each grave finding confirmed, or disputed and no longer grave.

    Args:
        record: what the first reader and the target's libraries led to.
        root: the folder to which paths in the record are relative.
        pages: of the target.
        reread: gives the content of files again.
    """
    suspects: defaultdict[str, list[AbiFinding]] = defaultdict(list)
    for finding in record.findings:
        if finding.grave and finding.kind in _CONFIRMABLE:
            suspects[f"{root.rstrip('/')}/{finding.path}"].append(finding)
            suspects[finding.path].append(finding)
    if not suspects:
        return record
    judged: dict[AbiFinding, AbiFinding] = {}
    second = _Second(record.machine, pages, suspects, judged)
    reread(second, suspects)
    findings = tuple(judged.get(finding, finding) for finding in record.findings)
    return replace(record, findings=findings)


class _Second:
    def __init__(
        self,
        machine: str,
        pages: Pages,
        suspects: Mapping[str, Sequence[AbiFinding]],
        judged: dict[AbiFinding, AbiFinding],
    ) -> None:
        self._machine = machine
        self._pages = pages
        self._suspects = suspects
        self._judged = judged
        self._until = time.monotonic() + _SECONDS

    def __call__(self, path: str, data: Buffer) -> None:
        from .second_reader import read_again  # pyelftools, for what is in doubt only

        if time.monotonic() > self._until:
            return
        findings = self._suspects[path]
        reading = read_again(data, frozenset((f.library, f.version) for f in findings))
        for finding in findings:
            self._judged[finding] = self._judge(finding, reading)

    def _judge(self, finding: AbiFinding, reading: SecondReading) -> AbiFinding:
        evidence = tuple(self._evidence(finding, reading))
        if evidence:
            symbols = reading.imports.get((finding.library, finding.version), ())
            return replace(finding, evidence=evidence, symbols=tuple(s.name for s in symbols))
        says = f"cannot read it: {reading.problem}" if reading.problem else "does not see that"
        text = f"{finding.text}; pyelftools {says}, so it is not certain"
        return replace(finding, text=text, grave=False, disputed=True)

    def _evidence(self, finding: AbiFinding, reading: SecondReading) -> Iterator[str]:
        """Where in the file *finding* stands; nothing where it does not."""
        kind, need = finding.kind, (finding.library, finding.version)
        if bool(reading.problem) != (kind == UNREADABLE):
            return
        if kind == UNREADABLE:
            yield f"pyelftools: {reading.problem}"
        elif kind == WRONG_ARCHITECTURE and not reading.is_for(self._machine):
            yield f"ELF header: e_machine is {reading.machine}"
        elif kind == PAGE_SIZE:
            yield from self._misaligned(reading.segments)
        elif kind == MISSING_LIBRARY and finding.library in reading.needed:
            yield f".dynamic: DT_NEEDED {finding.library}"
        elif kind == ABI_MISMATCH and need in reading.versions:
            yield f".gnu.version_r: {finding.library} {finding.version}"
            imports = reading.imports.get(need, ())
            yield from (f"{symbol.name}: {symbol.place}" for symbol in imports if symbol.place)

    def _misaligned(self, segments: Sequence[Segment]) -> Iterator[str]:
        for number, (alignment, address, offset) in enumerate(segments):
            if self._pages.problem(alignment, congruence(address, offset)):
                yield (
                    f"loaded segment {number}: p_align is {alignment}, "
                    f"p_vaddr {address:#x}, p_offset {offset:#x}"
                )
