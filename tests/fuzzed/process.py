"""Has a process of its own read damaged files: what ends it, or takes its memory, is noticed."""

from __future__ import annotations

import os
import resource
import signal
import tempfile
from collections.abc import Iterator
from ctypes import Array, c_longlong
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

from .harness import Kind, fuzz

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

MEMORY = 256 << 20
"""Bytes of its data that one process may have, besides the files that it has mapped."""
CLOCK = 300
"""Seconds for one file, after which its process is ended: it waits, or runs no Python code."""
_NEXT, _REFUSED, _SLOWEST, _SLOWEST_NUMBER, _PEAK = range(5)


@dataclass(frozen=True)
class Failure:
    """A damaged file of which the reader did not say that it is damaged."""

    number: int
    data: bytes
    """Empty where the process has ended."""
    problem: str


@dataclass
class Tally:
    """What was seen in all files of one kind."""

    files: int = 0
    refused: int = 0
    peak: int = 0
    """Bytes that were resident at most."""
    slowest: float = 0.0
    """Seconds of a processor for one file."""
    slowest_number: int = 0


def fuzz_apart(
    name: str,
    kind: Kind,
    numbers: range,
    tally: Tally,
    *,
    seed: int = 0,
    memory: int = MEMORY,
    clock: float = CLOCK,
) -> Iterator[Failure]:
    """As `harness.fuzz`, in processes whose memory is limited; only what failed.

    Args:
        name, kind, numbers, seed: as there.
        tally: is filled in.
        memory: bytes that a process may allocate.
        clock: seconds that a file may take, be the processor busy with others.
    """
    context = get_context("spawn")
    while numbers:
        counts = context.RawArray(c_longlong, 5)
        counts[_NEXT] = numbers.start
        receiver, sender = context.Pipe(duplex=False)
        limits = (memory, clock)
        process = context.Process(
            target=_run, args=(name, kind, numbers, seed, limits, counts, sender)
        )
        process.start()
        sender.close()
        yield from _received(receiver)
        process.join()
        code, ended_at = process.exitcode or 0, counts[_NEXT]
        if code > 0:
            raise RuntimeError(f"{name}: its whole files cannot be read")
        if code < 0:
            yield Failure(ended_at, b"", _ending(-code, clock))
            ended_at += 1
        tally.files += ended_at - numbers.start
        tally.refused += counts[_REFUSED]
        tally.peak = max(tally.peak, counts[_PEAK])
        slowest = counts[_SLOWEST] / 1e6
        if slowest > tally.slowest:
            tally.slowest, tally.slowest_number = slowest, counts[_SLOWEST_NUMBER]
        numbers = range(ended_at, numbers.stop)


def _received(receiver: Connection) -> Iterator[Failure]:
    try:
        while True:
            yield Failure(*receiver.recv())
    except EOFError:
        return


def _ending(number: int, clock: float) -> str:
    if number == signal.SIGALRM:
        return f"took more than {clock} s by the clock, and could not be interrupted"
    return f"ended the process: {signal.Signals(number).name}"


def _run(
    name: str,
    kind: Kind,
    numbers: range,
    seed: int,
    limits: tuple[int, float],
    counts: Array[c_longlong],
    sender: Connection,
) -> None:
    memory, clock = limits
    parent = os.getppid()
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for outcome in fuzz(name, kind, numbers, Path(folder), seed=seed, clock=clock):
            if os.getppid() != parent:
                return  # nobody listens any more
            if outcome.problem:
                sender.send((outcome.number, outcome.data, outcome.problem))
            counts[_NEXT] = outcome.number + 1
            counts[_REFUSED] += outcome.refused
            took = int(outcome.seconds * 1e6)
            if took > counts[_SLOWEST]:
                counts[_SLOWEST], counts[_SLOWEST_NUMBER] = took, outcome.number
            counts[_PEAK] = _peak_memory()


def _peak_memory() -> int:
    """Bytes that this process has taken at most.

    Not ru_maxrss: across exec, Linux keeps the peak of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) << 10
