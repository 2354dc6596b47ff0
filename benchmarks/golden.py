"""What comparing large arrays costs beside NumPy's own ``==`` and ``isclose``.

Both sides in one run, in turn, the least of several rounds; the peak of memory is tracemalloc's,
over the arrays' own size.

    python benchmarks/golden.py [MILLIONS]
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pytest_arm64.inside.golden.arrays import compare_array
from pytest_arm64.inside.golden.policy import Policy

ROUNDS = 3


def least(*sides: Callable[[], Any]) -> list[float]:
    """Seconds of each of *sides*, in turn, the least of all rounds."""
    found = [float("inf")] * len(sides)
    for _ in range(ROUNDS):
        for number, side in enumerate(sides):
            began = time.perf_counter()
            side()
            found[number] = min(found[number], time.perf_counter() - began)
    return found


def peak(side: Callable[[], Any], size: int) -> float:
    """Most memory that *side* takes, in units of *size*."""
    tracemalloc.start()
    side()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / size


def against(golden: Any, here: Any, theirs: Callable[[Any, Any], Any]) -> tuple[float, float]:
    """Seconds of the comparer and of *theirs*."""
    ours, its = least(
        partial(compare_array, "", golden, here, Policy()), lambda: theirs(golden, here).all()
    )
    return ours, its


def main() -> None:
    count = int(float(sys.argv[1] if len(sys.argv) > 1 else "100") * 1e6)
    golden = np.random.default_rng(0).standard_normal(count)
    print(f"{count / 1e6:g} million float64")
    ours, its = against(golden, golden.copy(), np.equal)
    print(
        f"identical:  {ours:.2f} s, == {its:.2f} s: {its / ours:.2f} of its throughput (goal 0.5)"
    )
    for name, step in (("all differ", 1), ("one in 100", 100)):
        here = golden.copy()
        here[::step] *= 1 + 1e-15
        ours, its = against(golden, here, np.isclose)
        memory = peak(partial(compare_array, "", golden, here, Policy()), golden.nbytes)
        print(
            f"{name}: {ours:.2f} s, isclose {its:.2f} s: {ours / its:.2f} times (goal 4); "
            f"memory beyond the two arrays: {memory:.3f} of one"
        )


if __name__ == "__main__":
    main()
