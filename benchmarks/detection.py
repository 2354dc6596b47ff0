"""How well differences from x86 are found: recognised, false alarms, garbage, causes.

All cases are in the repository, below ``tests/detection``: values that differ and are known to,
damaged outputs of ordinary code, values against themselves, and findings with their causes.

    python benchmarks/detection.py
"""

from __future__ import annotations

import os
import pickle
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np
import pandas as pd
import PIL

from detection.causes import FINDINGS
from detection.corruptions import CORRUPTIONS, corrupted
from detection.outputs import OUTPUTS
from pytest_arm64.inside.golden.control import narrower
from pytest_arm64.inside.golden.leaves import compare
from pytest_arm64.inside.golden.policy import Policy
from pytest_arm64.inside.golden.provenance import numpy_dispatch
from pytest_arm64.inside.golden.values import stored

SEEDS = 24
COMPUTE = "--compute"


def passes(golden: Any, here: Any) -> bool:
    return compare("value", stored(golden), stored(here), Policy()).ok


def computed() -> dict[tuple[str, int], Any]:
    return {(name, s): output.compute(s) for name, output in OUTPUTS.items() for s in range(SEEDS)}


def in_another_process(environment: dict[str, str]) -> dict[tuple[str, int], Any]:
    """The same values, computed by a process with the variables of *environment*."""
    command = [sys.executable, __file__, COMPUTE]
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True
    )
    values: dict[tuple[str, int], Any] = pickle.loads(done.stdout)  # our own process's
    return values


def alarms(values: dict[tuple[str, int], Any], others: dict[tuple[str, int], Any]) -> str:
    failed = [
        name for (name, seed), value in values.items() if not passes(value, others[name, seed])
    ]
    named = ", ".join(f"{count} of {name}" for name, count in Counter(failed).items())
    return f"{len(failed)} of {len(values)} fail" + (f": {named}" if named else "")


def garbage() -> tuple[int, list[str]]:
    """How many damaged outputs were tried, and those that pass."""
    tried, passed = 0, []
    for corruption in CORRUPTIONS:
        for name, output in OUTPUTS.items():
            value = output.compute(1)
            numbers = corrupted(corruption, output.numbers(value))
            if numbers is not None:
                tried += 1
                if passes(value, output.rebuilt(value, numbers)):
                    passed.append(f"{corruption} in {name}")
    return tried, passed


def listed(names: Iterable[str]) -> str:
    text = ", ".join(names)
    return f": {text}" if text else ""


def main() -> None:
    if sys.argv[1:] == [COMPUTE]:
        sys.stdout.buffer.write(pickle.dumps(computed()))
        return
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, pandas {pd.__version__}, "
        f"Pillow {PIL.__version__}, {platform.machine()}"
    )
    pairs = [finding for finding in FINDINGS if finding.exactly]
    missed = [finding.name for finding in pairs if not finding.right]
    print(
        f"recognised: {len(pairs) - len(missed)} of {len(pairs)} values that differ have their "
        f"class and their hints, and no others{listed(missed)}"
    )
    values = computed()
    print(f"false alarms, against another process: {alarms(values, in_another_process({}))}")
    control = narrower([{"numpy_dispatch": numpy_dispatch()}])
    print(f"false alarms, against narrower SIMD: {alarms(values, in_another_process(control))}")
    tried, passed = garbage()
    print(
        f"garbage: {tried - len(passed)} of {tried} fail ({len(CORRUPTIONS)} corruptions of "
        f"{len(OUTPUTS)} outputs){listed(passed)}"
    )
    right = [finding for finding in FINDINGS if finding.right]
    wrong = [finding.name for finding in FINDINGS if not finding.right]
    print(f"causes: {len(right)} of {len(FINDINGS)} findings have the right one{listed(wrong)}")


if __name__ == "__main__":
    main()
