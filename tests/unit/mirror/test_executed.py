"""Only what the session was asked about counts, whatever it says."""

from __future__ import annotations

from pytest_arm64.inside.frames import LinesExecuted
from pytest_arm64.mirror.executed import ExecutedStatements


def test_processes_add_up() -> None:
    executed = ExecutedStatements()
    executed.watched = {"/a.py": [(3, 5), (9, 9)], "/b.py": [(1, 1)]}
    assert executed.problem is None
    executed.take(LinesExecuted({"/a.py": [3]}, ""))
    executed.take(LinesExecuted({"/b.py": [1]}, ""))
    assert executed.problem == ""
    seen = [executed.has(*each) for each in (("/a.py", 3), ("/a.py", 9), ("/b.py", 1))]
    assert seen == [True, False, True]


def test_what_nobody_asked_about_is_not_kept() -> None:
    executed = ExecutedStatements()
    executed.watched = {"/a.py": [(3, 5)]}
    executed.take(LinesExecuted({"/a.py": [4, 10**30], "/etc/passwd": [1]}, "x" * 10**6))
    assert not executed.has("/a.py", 4)
    assert not executed.has("/a.py", 10**30)
    assert not executed.has("/etc/passwd", 1)
    assert len(executed.problem or "") == 200


def test_one_process_that_could_not_measure_is_remembered() -> None:
    executed = ExecutedStatements()
    executed.take(LinesExecuted({}, "other tools use sys.monitoring"))
    executed.take(LinesExecuted({}, ""))
    assert executed.problem == "other tools use sys.monitoring"
