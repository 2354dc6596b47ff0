"""What measuring and profiling cost the code that is measured.

Both sides run in turn, in one process, and the ratio has its interval; a Python loop, which is what
a profiler disturbs most, and one long call, which it disturbs least.

    python benchmarks/measuring.py [--rounds 41]
"""

from __future__ import annotations

import argparse
import functools
import inspect
import timeit
from collections.abc import Callable

from pytest_arm64.measure.hotspots import INTERVAL, Counter, Sampler
from pytest_arm64.measure.ratio import ratio_of_medians
from pytest_arm64.measure.sampling import Clock, take_in_turn


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41)
    rounds = parser.parse_args().rounds
    clock = Clock()
    print(f"reading both clocks: {clock.cost()} ns; batches keep that under 1 % of a round")
    sampler, frame = Sampler(), inspect.currentframe()
    look = min(timeit.repeat(lambda: sampler.tick(0, frame), number=1000, repeat=20)) / 1000
    print(f"one look of the sampler: {look * 1e6:.1f} µs, {look / INTERVAL:.3%} of its interval")
    for subject in (many_calls, one_loop):
        for tool in (Sampler, Counter):
            with_it = functools.partial(profiled, subject, tool)
            one, other = take_in_turn([with_it, subject], rounds=rounds, warmup=2, clock=clock)
            ratio = ratio_of_medians(one.wall, other.wall)
            # Of the quickest rounds: what others do on this machine is not the profiler's.
            least = min(one.wall) / min(other.wall)
            print(f"{subject.__name__:10} {tool.tool:7} {ratio}; quickest rounds {least:.3f}")


if __name__ == "__main__":
    main()
