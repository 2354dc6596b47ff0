"""Tests that reach code for another core run there as well, after all others, and are one gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..engine.emulation import QEMU_MODELS
from ..inside.frames import NEWER_CODE
from .cells import PlannedCell
from .core_choice import reaching
from .unseen_session import CellResult, SilentCell

if TYPE_CHECKING:
    from ..binary.cores import CoreCode
    from ..mirror.session import MirroredSession

_CONFORMANCE = "pytest_arm64/conformance/"
"""What its cases are expected to come out as was seen on Graviton2: another core is named."""
RunOn = Callable[[PlannedCell], SilentCell]
"""Makes a cell of the core in a place that is opened once: one copy of the project."""


class LaterCore:
    """Waits for the end of the mirrored session, which runs on the core of *shown*."""

    def __init__(self, planned: PlannedCell, code: CoreCode, shown: PlannedCell) -> None:
        self.planned = planned
        self._code = code
        self._shown = shown
        self._files: dict[str, bytes] = {}
        self.line = ""
        """What it has come to, for the end of the run."""

    @property
    def records(self) -> Mapping[str, object]:
        """What the mirrored session is asked."""
        return {NEWER_CODE: sorted({name for names in self._code.files.values() for name in names})}

    def give(self, files: Mapping[str, bytes]) -> None:
        """Put *files*, by relative name, below ``$PYTEST_ARM64_OUT`` once it runs."""
        self._files.update(files)

    def run(self, session: MirroredSession, cell_on: RunOn) -> CellResult | None:
        """Run those tests of *session* that reach the code; None where there are none.

        A session that did not run all of its tests has none.

        Raises:
            Arm64Error: the place cannot be opened, or what came from it cannot be used.
        """
        tests = self._tests(session)
        core, packages = self.planned.name, ", ".join(self._code.packages)
        number = f"{len(tests)} of {len(session.mirror.ledger.finished)} tests"
        if not tests:
            return None
        cell = cell_on(self.planned)
        cell.give(self._files)
        result = cell.run(tests)
        result, unsure = self._confirmed(result, cell, cell_on)
        self.line = f"{number} can reach {packages} and passed: they ran on {core} too"
        if unsure:
            self.line += (
                f"; {len(unsure)} failed there, and either passed when repeated or fail on "
                f"{self._shown.name} too: {', '.join(unsure)}"
            )
        return result

    def _tests(self, session: MirroredSession) -> list[str]:
        mirror = session.mirror
        ledger = mirror.ledger
        if session.problems or ledger.reason or ledger.final not in (0, 1) or ledger.collect_only:
            return []
        files = {nodeid.partition("::")[0] for nodeid in ledger.finished}
        own = [file for file in files if _CONFORMANCE not in file]
        chosen = {f for f in own if reaching(self._code, mirror.loaded, mirror.reached, f)}
        return [
            nodeid
            for nodeid in ledger.finished
            if nodeid not in mirror.failed and nodeid.partition("::")[0] in chosen
        ]

    def _confirmed(
        self, result: CellResult, cell: SilentCell, cell_on: RunOn
    ) -> tuple[CellResult, list[str]]:
        """*result* less the failures that the core is not the cause of, and which those are.

        A test that ran once already may fail because of what it has left. So it is repeated here,
        and in the same place on the core on which it passed.
        """
        bad = [nodeid for nodeid, test in result.tests.items() if test.bad]
        if not bad or result.problems:
            return result, []
        again = cell.run(bad)
        still = [nodeid for nodeid in bad if nodeid in again.tests and again.tests[nodeid].bad]
        shown = cell_on(self._shown)
        qemu = {"QEMU_CPU": QEMU_MODELS[self._shown.cell.core]}
        there = shown.run(still, qemu).tests if still else {}
        real = [nodeid for nodeid in still if nodeid in there and not there[nodeid].bad]
        unsure = [nodeid for nodeid in bad if nodeid not in real]
        tests = {nodeid: test for nodeid, test in result.tests.items() if nodeid not in unsure}
        status = result.status if real else 0
        return replace(result, tests=tests, status=status), unsure
