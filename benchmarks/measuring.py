"""What measuring and profiling cost the code that is measured.

Both sides run in turn, in one process, and the ratio has its interval; a Python loop, which is what
a profiler disturbs most, and one long call, which it disturbs least. Then end to end: sessions of
``pytest --arm64`` on this machine, through the local place of the fidelity tests, in turn with
and without ``--arm64-profile``; what counts is the processor time that the suite says it took.

    python benchmarks/measuring.py [--rounds 41] [--sessions 12]
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path
from signal import SIGPROF, raise_signal

from pytest_arm64.inside.measure.hotspots import INTERVAL, Counter, Sampler
from pytest_arm64.inside.measure.ratio import ratio_of_medians
from pytest_arm64.inside.measure.sampling import Clocks, take_in_turn


def step(number: int) -> int:
    return number * number


def many_calls() -> int:
    """The worst case: nothing but small Python functions."""
    return sum(step(number) for number in range(200_000))


def one_loop() -> int:
    """Nested loops without a call, as in the example's normalisation."""
    total = 0
    for number in range(600_000):
        total += number * number
    return total


def profiled(subject: Callable[[], int], tool: type[Sampler | Counter]) -> int:
    profiler = tool()
    profiler.start()
    try:
        return subject()
    finally:
        profiler.stop()


def one_look() -> float:
    """Seconds of a signal, from raising it until the sampler has looked."""
    sampler = Sampler()
    sampler.start()
    try:
        return min(timeit.repeat(lambda: raise_signal(SIGPROF), number=1000, repeat=50)) / 1000
    finally:
        sampler.stop()


SUITE = """
import time

def test_work():
    began, total = time.process_time(), 0
    for row in range(1500):
        for column in range(224):
            for channel in range(3):
                total += (row * column + channel) % 256
    took = time.process_time() - began
    with open("took", "a") as file:
        print(took, file=file)
"""


def end_to_end(sessions: int) -> tuple[list[float], list[float]]:
    """Processor seconds of the suite's work in *sessions* pairs: with a profile, and without."""
    fidelity = Path(__file__).parents[1] / "tests/fidelity"
    native = json.dumps({"machine": "aarch64", "emulated": False})
    environment = {**os.environ, "PYTHONPATH": str(fidelity), "PLACED_FACTS": native}
    command = [sys.executable, "-m", "pytest", "--arm64", "-pmeasured_place", "-q"]
    sides: tuple[list[str], list[str]] = (["--arm64-profile"], [])
    with tempfile.TemporaryDirectory() as name:
        Path(name, "test_it.py").write_text(SUITE)
        for number in range(sessions):
            for options in sides if number % 2 == 0 else reversed(sides):
                subprocess.run(
                    [*command, *options], cwd=name, env=environment, check=True, capture_output=True
                )
        took = [float(line) for line in Path(name, "took").read_text().split()]
    # Each second pair runs backwards.
    with_it = [pair[n % 2] for n, pair in enumerate(zip(took[::2], took[1::2], strict=True))]
    without = [pair[1 - n % 2] for n, pair in enumerate(zip(took[::2], took[1::2], strict=True))]
    return with_it, without


def tell(name: str, with_it: Sequence[float], without: Sequence[float]) -> None:
    """The ratio of processor times; that of the quickest is free of what others do meanwhile."""
    quickest = min(with_it) / min(without)
    print(f"{name:27} {ratio_of_medians(with_it, without)}; quickest {quickest:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--sessions", type=int, default=12, help="at least 5, or 0 for none")
    options = parser.parse_args()
    rounds = options.rounds
    clock = Clocks()
    print(f"reading both clocks: {clock.cost()} ns; batches keep that under 1 % of a round")
    look = one_look()
    print(f"one look of the sampler, its signal included: {look * 1e6:.1f} µs, ", end="")
    print(f"{look / INTERVAL:.3%} of its interval")
    for subject in (many_calls, one_loop):
        for tool in (Sampler, Counter):
            with_it = functools.partial(profiled, subject, tool)
            one, other = take_in_turn([with_it, subject], rounds=rounds, warmup=2, clock=clock)
            tell(f"{subject.__name__} {tool.tool}", one.cpu, other.cpu)
    if options.sessions:
        tell("end to end, --arm64-profile", *end_to_end(options.sessions))


if __name__ == "__main__":
    main()
