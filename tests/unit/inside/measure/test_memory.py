"""Memory of real calls, by both tools; processes that are really started."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest

from pytest_arm64.inside.measure.hotspots import Counter, Sampler
from pytest_arm64.inside.measure.memory import (
    MEMRAY,
    TRACEMALLOC,
    Memory,
    Resident,
    cold_start,
    memory_of,
)

KEPT = 3_000_000


def keeps() -> int:
    return len(bytearray(KEPT))


def asks_a_thousand_times() -> None:
    for size in range(1000):
        bytes(100_000 + size)


@pytest.fixture(params=[MEMRAY, TRACEMALLOC])
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == TRACEMALLOC:
        monkeypatch.setitem(sys.modules, "memray", None)
    return str(request.param)


def test_the_peak_of_a_call(tool: str) -> None:
    kept = bytearray(KEPT)  # what was there before does not count
    found = memory_of(keeps)
    assert found.tool == tool
    assert KEPT <= found.peak <= KEPT * 1.01
    assert len(kept) == KEPT


def test_the_peak_is_not_the_sum(tool: str) -> None:
    assert memory_of(asks_a_thousand_times).peak < 500_000


def test_allocations_are_counted_by_memray_and_the_same_each_time() -> None:
    code = (
        "from pytest_arm64.inside.measure.memory import memory_of\n"
        "def asks_a_thousand_times():\n"
        "    for size in range(1000):\n"
        "        bytes(100_000 + size)\n"
        "first, *others = [memory_of(asks_a_thousand_times) for _ in range(4)]\n"
        "assert set(others) == {others[0]}, others\n"
        "print(first.allocations, others[0].allocations, first.complete)\n"
    )
    # A process of its own: threads that other tests have left allocate as well.
    told = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    # 1,000 bytes objects, as many sums, and the 743 sizes above the integers that Python keeps.
    assert all(2743 <= int(number) <= 2743 + 50 for number in told[:2])
    assert told[2] == "True"


def test_tracemalloc_says_what_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    found = memory_of(keeps)
    assert found.allocations is None
    assert not found.complete


def test_somebody_elses_tracing_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "memray", None)
    tracemalloc.start()
    try:
        assert memory_of(keeps).peak >= KEPT
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_a_subject_that_fails_leaves_nothing_on(tool: str) -> None:
    def fails() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        memory_of(fails)
    assert not tracemalloc.is_tracing()
    assert isinstance(memory_of(keeps), Memory)


def test_a_profiler_that_counts_calls_is_paused(tool: str) -> None:
    counter = Counter()
    counter.start()
    try:
        keeps()
        assert memory_of(keeps).peak >= KEPT
        keeps()
    finally:
        counter.stop()
    (calls,) = (s.calls for one, s in counter.spending().items() if one.name == "keeps")
    assert calls in (2, 3)  # from Python 3.12 on nobody can tell that it is at work


def test_a_sampler_is_paused_and_charges_the_pause_to_nobody(tool: str) -> None:
    def spin() -> list[float]:
        timers.append(signal.getitimer(signal.ITIMER_PROF)[0])
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass
        return timers

    timers: list[float] = []
    sampler = Sampler()
    sampler.start()
    try:
        memory_of(spin)
        assert signal.getitimer(signal.ITIMER_PROF)[0] > 0
    finally:
        sampler.stop()
    assert timers == [0]
    assert sum(spent.seconds for spent in sampler.spending().values()) < 0.25


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells it, other systems do not")
def test_resident_memory_above_an_empty_process() -> None:
    resident = Resident()
    small = resident.peak_of(lambda: None)
    large = resident.peak_of(lambda: len(bytes(64_000_000).replace(b"\0", b"\1")))
    assert small is not None
    assert large is not None
    assert 60_000_000 < large - small < 200_000_000


def test_cold_start_is_that_of_a_fresh_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(0.2); print('noise')")
    monkeypatch.syspath_prepend(tmp_path)
    __import__("slow_to_import")
    assert 0.2 <= cold_start("slow_to_import") < 10


def test_cold_start_of_what_is_not_there() -> None:
    with pytest.raises(ImportError, match="no_such_module"):
        cold_start("no_such_module")
