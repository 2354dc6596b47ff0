"""What tests call: ``arm64_measure(fn, *args)`` and its two relatives."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..ran import Ran
from .memory import Memory, Resident, cold_start, memory_of, memray_here
from .ratio import Ratio, ratio_of_medians
from .record import CALL, COLD_START, Record
from .sampling import ROUNDS, WARMUP, Clocks, Sample, take, take_in_turn
from .summary import Summary, summarise


@dataclass(frozen=True)
class Measurement:
    """What was found of one subject; times in seconds, memory in bytes."""

    latency: Summary
    cpu: Summary
    throughput: float
    """Calls a second, by the median."""
    memory: Memory
    resident: int | None
    """Peak resident memory above an empty process; None under emulation and where unknown."""
    where: Ran
    result: Any
    """What the last measured call returned."""


class ArmMeasure:
    """Measures calls; what becomes of a budget is decided when the test is over."""

    def __init__(self, where: Ran, clock: Clocks | None = None) -> None:
        self._where = where
        self._clock = clock or Clocks()
        self._resident = Resident()
        memray_here()  # loaded before anything is measured or profiled
        self.records: list[Record] = []

    def __call__(
        self,
        function: Callable[..., object],
        /,
        *arguments: object,
        rounds: int = ROUNDS,
        warmup: int = WARMUP,
    ) -> Measurement:
        """Call *function* with *arguments* again and again.

        Args:
            rounds: how many times are taken.
            warmup: calls before them, not counted.

        Raises:
            ValueError: no round, or a negative number of warm-up calls.
        """
        subject = functools.partial(function, *arguments)
        sample = take(subject, rounds=rounds, warmup=warmup, clock=self._clock)
        record = self._record(function, sample, subject)
        assert record.memory is not None
        return Measurement(
            latency=record.latency,
            cpu=summarise(record.cpu),
            throughput=record.throughput,
            memory=record.memory,
            resident=record.resident,
            where=self._where,
            result=sample.result,
        )

    def compare(
        self,
        first: Callable[..., object],
        second: Callable[..., object],
        /,
        *arguments: object,
        rounds: int = ROUNDS,
        warmup: int = WARMUP,
    ) -> Ratio:
        """How many times longer *first* takes than *second*, both called in turn.

        Raises:
            ValueError: fewer than five rounds, or a negative number of warm-up calls.
        """
        functions = (first, second)
        subjects = [functools.partial(function, *arguments) for function in functions]
        samples = take_in_turn(subjects, rounds=rounds, warmup=warmup, clock=self._clock)
        for function, sample, subject in zip(functions, samples, subjects):
            self._record(function, sample, subject)
        return ratio_of_medians(samples[0].wall, samples[1].wall)

    def cold_start(self, module: str, *, rounds: int = 3) -> Summary:
        """Seconds in which fresh processes import *module*, beyond those of starting Python.

        Raises:
            ImportError: it cannot be imported there.
        """
        wall = tuple(cold_start(module) for _ in range(rounds))
        self.records.append(Record(name=module, kind=COLD_START, wall=wall))
        return summarise(wall)

    def _record(
        self, function: Callable[..., object], sample: Sample, subject: Callable[[], object]
    ) -> Record:
        record = Record(
            name=name_of(function),
            kind=CALL,
            wall=sample.wall,
            cpu=sample.cpu,
            loops=sample.loops,
            memory=memory_of(subject),
            resident=None if self._where.emulated else self._resident.peak_of(subject),
            disturbed=disturbance(),
        )
        self.records.append(record)
        return record


def name_of(function: object) -> str:
    """How a subject is called in tables: its qualified name, without where it was defined."""
    inner = getattr(function, "func", function)  # of a functools.partial
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    name = str(name).rpartition("<locals>.")[2]
    code = getattr(inner, "__code__", None)
    return f"{name} in line {code.co_firstlineno}" if code and name == "<lambda>" else name


def disturbance() -> str:
    """What listens to every line or call of this process, and makes its times worthless."""
    if sys.gettrace() is not None:
        return "a tracer (coverage or a debugger) is at work"
    if sys.getprofile() is not None:
        return "a profiler is at work"
    monitoring = getattr(sys, "monitoring", None)
    names = [monitoring.get_tool(number) for number in range(6)] if monitoring else []
    return next((f"{name} is at work" for name in names if name), "")
