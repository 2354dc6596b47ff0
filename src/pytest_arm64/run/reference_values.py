"""The golden values of the x86 side, and how far x86 differs from itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..inside.golden.control import narrower
from ..inside.golden.explain import printable
from ..inside.golden.report_property import told_by
from .differences import crash
from .goldens import Recorded, as_ended, as_reference, recorded, with_noise
from .unseen_session import CellResult, Outcome, SilentCell

UNCONTROLLED = "control: the run under narrower SIMD did not come to its end: not evaluated"
_LONGEST = 500
"""Characters of how a test ended on x86 that a cell is given."""


def reference_values(cell: SilentCell, result: CellResult) -> tuple[tuple[Recorded, ...], str]:
    """What *cell* has recorded, with the noise of a run under narrower SIMD.

    The text is for the reader: why that run says nothing; empty where it does.
    """
    values = recorded(result.out)
    if not values:
        return (), ""
    checked = [nodeid for nodeid, test in result.tests.items() if golden_of(test) is not None]
    variables = narrower(value.golden.provenance for value in values)
    cell.give(as_reference(values))
    control = cell.run(only=checked, environment=variables)
    if control.problems:
        return values, UNCONTROLLED
    return with_noise(values, recorded(control.out)), ""


def files_for_others(values: Iterable[Recorded], result: CellResult) -> dict[str, bytes]:
    """What the cells that are compared are given: *values*, and which tests ended badly."""
    return as_reference(list(values)) | as_ended(_ended(result.tests.values()))


def _ended(tests: Iterable[Outcome]) -> dict[str, str]:
    """By node id, how those of *tests* ended that did not pass."""
    return {
        test.nodeid: printable(crash(test.text))[:_LONGEST] or test.outcome
        for test in tests
        if test.outcome not in ("passed", "xpassed")
    }


def golden_of(test: Outcome) -> tuple[Path, str] | None:
    """Which golden is this test's, None for one that checked nothing."""
    for record in told_by(test.user_properties):
        if record.recorded is not None:
            folder, name = record.recorded
            return Path(folder), name
    return None
