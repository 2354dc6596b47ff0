"""Memory of one call: peak heap and allocations by memray or tracemalloc, and resident memory."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..records import json_options

MEMRAY = "memray"
TRACEMALLOC = "tracemalloc"
_ITSELF = "open('/proc/self/status').read()"
_KIB = 1024


def _bytes(number: int) -> int:
    if not 0 <= number < 1 << 62:
        raise ValueError(f"{number} is not a number of bytes")
    return number


def _tool(word: str) -> str:
    if word not in (MEMRAY, TRACEMALLOC):
        raise ValueError(f"{word!r:.60} is not a tracer")
    return word


@dataclass(frozen=True)
class Memory:
    """What one call needs of the heap, above what was there before."""

    peak: int = field(metadata=json_options(check=_bytes))
    """Bytes at the highest point."""
    allocations: int | None
    """How often memory was asked for; None where the tool cannot tell."""
    tool: str = field(metadata=json_options(check=_tool))
    """``memray`` sees every allocator, ``tracemalloc`` Python's own and NumPy's only."""

    @property
    def complete(self) -> bool:
        """Whether native libraries' memory is in it."""
        return self.tool == MEMRAY


def memory_of(subject: Callable[[], object]) -> Memory:
    """Call *subject* once under a tracer: memray where it is installed, else tracemalloc.

    Neither is disturbed by emulation: what is counted are requests, not pages.
    """
    memray = memray_here()
    with _unprofiled():
        return _by_tracemalloc(subject) if memray is None else _by_memray(memray, subject)


def memray_here() -> Any:
    """memray, or None where it is not installed."""
    try:
        import memray
    except ImportError:
        return None
    return memray


@contextmanager
def _unprofiled() -> Iterator[None]:
    """Pause profilers: a call that is traced says nothing of time, and they allocate as well."""
    number = getattr(signal, "SIGPROF", None)  # Windows has none
    sampler = getattr(signal.getsignal(number), "__self__", None) if number else None
    paused: list[Any] = [one for one in (sys.getprofile(), sampler) if hasattr(one, "disable")]
    for profiler in paused:
        profiler.disable()
    try:
        yield
    finally:
        for profiler in paused:
            profiler.enable()


def _by_memray(memray: Any, subject: Callable[[], object]) -> Memory:
    from memray._memray import compute_statistics

    with tempfile.TemporaryDirectory(prefix="pytest-arm64-") as folder:
        path = Path(folder, "allocations")
        # Python's allocator as well: whether it finds room in an arena depends on what ran before.
        with memray.Tracker(path, trace_python_allocators=True):
            subject()
        found = compute_statistics(str(path))
    return Memory(found.peak_memory_allocated, found.total_num_allocations, MEMRAY)


def _by_tracemalloc(subject: Callable[[], object]) -> Memory:
    ours = not tracemalloc.is_tracing()
    if ours:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        subject()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        if ours:
            tracemalloc.stop()
    return Memory(max(peak, 0), None, TRACEMALLOC)


class Resident:
    """Peak resident memory above that of an empty interpreter; Linux only.

    Under emulation the pages of the emulator are among them: it is not asked there.
    """

    def __init__(self) -> None:
        self._empty: int | None = None

    def peak_of(self, subject: Callable[[], object]) -> int | None:
        """Bytes while *subject* is called once; None where the system does not tell."""
        try:
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
        except OSError:
            return None
        subject()
        peak = _high_water(Path("/proc/self/status").read_text())
        if self._empty is None:
            self._empty = _empty_process()
        return peak - self._empty if peak is not None and self._empty is not None else None


def _empty_process() -> int | None:
    command = [sys.executable, "-I", "-S", "-c", f"print({_ITSELF})"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return _high_water(done.stdout)


def _high_water(status: str) -> int | None:
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * _KIB
    return None


def cold_start(module: str) -> float:
    """Seconds in which a fresh process imports *module*, without those of starting Python.

    Raises:
        ImportError: it cannot be imported there; the message is what Python said.
    """
    program = (
        "import sys, time; sys.path[:] = sys.argv[2:]; began = time.perf_counter();"
        " __import__(sys.argv[1]); print(repr(time.perf_counter() - began))"
    )
    command = [sys.executable, "-c", program, module, *sys.path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ})
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise ImportError(f"{module} cannot be imported in a fresh process: {last[0]}")
    return float(done.stdout.split()[-1])
