"""What packagers would put into a zip, as a person reads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..audit.matrix import WheelMatrix
from ..contents.packager_view import (
    ADDS,
    FAILS,
    LACKS,
    NOTES,
    OTHER_RELEASE,
    OTHER_WHEEL,
    PACKS_SLOW,
    PACKS_X86,
    REFUSED,
    PackagerFinding,
    PackagerView,
)
from ..inside.counted import counted

_PAGE = "audit.html#what-a-packager-takes"
RULES = {
    FAILS: ("A packager takes no file of this package, and ends with an error", _PAGE),
    PACKS_X86: ("A packager packs code for x86-64", _PAGE),
    LACKS: ("A packager leaves out a package that the target needs", _PAGE),
    PACKS_SLOW: ("A packager packs a build without the compiled part", _PAGE),
    OTHER_RELEASE: ("A packager takes another release than an installer on the target", _PAGE),
    ADDS: ("A packager packs what only x86-64 needs", _PAGE),
    OTHER_WHEEL: ("A packager takes another wheel than an installer on the target", _PAGE),
}
"""What each rule says, and the page of the documentation about it."""
_NOTES = {OTHER_WHEEL: "with another wheel of the same release", ADDS: "that only x86-64 needs"}


def packager_lines(matrix: WheelMatrix) -> Iterator[str]:
    """What each tool makes of the packages, and the differences that do harm."""
    for view in matrix.packagers:
        yield packager_line(view)
        for finding in view.findings:
            if finding.kind not in NOTES:
                way = f" → {finding.fix}" if finding.fix else ""
                yield f"{finding.kind}: {_named(finding)}: {finding.text}{way}"


def packager_line(view: PackagerView) -> str:
    """What it packs, in one line."""
    head = f"{view.packager} ({view.tool} of {view.date}): "
    if view.problems:
        return f"{head}it is not known what it packs: {'; '.join(view.problems)}"
    packed = sum(release.how != REFUSED for release in view.releases)
    if any(finding.kind == FAILS for finding in view.findings):
        of = counted(len(view.releases), "package")
        head += f"it ends with an error; it would take {packed} of {of}"
    else:
        head += f"it packs {counted(packed, 'package')}"
    counts = Counter(finding.kind for finding in view.findings)
    notes = [f"{counts[kind]} {words}" for kind, words in _NOTES.items() if counts[kind]]
    return ", ".join([head, *notes]) + ("" if view.findings else ", as an installer on the target")


def packager_rows(view: PackagerView) -> Iterator[tuple[str, str, str, str]]:
    """Package, finding, why and way out of each difference."""
    for finding in view.findings:
        yield _named(finding), finding.kind, finding.text, finding.fix


def packager_text(view: PackagerView, finding: PackagerFinding) -> str:
    """One difference in a sentence or two."""
    text = f"{_named(finding)}, packaged with {view.packager} ({view.tool}): {finding.text}"
    return f"{text}. {finding.fix}" if finding.fix else text


def _named(finding: PackagerFinding) -> str:
    return f"{finding.name} {finding.version}".rstrip()
