"""Whether a mirrored session costs linearly: time per test, natively and mirrored, as suites grow.

Both sides run on this machine, one after the other, without container and emulation: what is left
is what the mirror adds. Linear is where the last figures stay as they are. `mirror.py` asks the
same of a container.

    python benchmarks/growth.py [--tests 10 1000 20000] [--rounds 3]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mirror import further, with_byte_code, write_suite  # type: ignore[import-not-found]

PLACE = Path(__file__).resolve().parents[1] / "tests/fidelity"


def seconds(folder: Path, *ours: str) -> float:
    """How long one pytest takes in *folder*."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *ours],
        cwd=folder,
        env={**with_byte_code(), "PYTHONPATH": str(PLACE)},
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, nargs="+", default=[10, 1000, 20000])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    before = (0, 0.0, 0.0)
    for count in sorted(chosen.tests):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_suite(folder, count)
            pairs = [
                (seconds(folder), seconds(folder, "--arm64", "-p", "local_place"))
                for _ in range(chosen.rounds)
            ]
        native, mirrored = (min(side) for side in zip(*pairs, strict=True))
        print(
            f"{count} tests: native {native:.2f} s, mirrored {mirrored:.2f} s, "
            f"ratio {mirrored / native:.2f}" + further(before, (count, mirrored, native)),
            flush=True,
        )
        before = count, mirrored, native


if __name__ == "__main__":
    main()
