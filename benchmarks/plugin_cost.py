"""What having pytest-arm64 installed costs a pytest run that does not use it.

Starts `pytest --version`-like runs of one trivial test with and without the plugin in turn, and
lists which heavy modules the plugin made pytest import (there must be none).

    python benchmarks/plugin_cost.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEAVY = ("docker", "requests", "urllib3", "httpx", "resolvelib", "elftools", "rich", "numpy")
TEST = f"""
import sys

def test_it():
    assert [name for name in {HEAVY!r} if name in sys.modules] == []
"""


def seconds(folder: Path, *arguments: str) -> float:
    """Wall seconds of one run, which must pass."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, str(folder)],
        check=True,
        stdout=subprocess.DEVNULL,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"},
    )
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_it.py").write_text(TEST)
        with_plugin, without = ("-p", "pytest_arm64.plugin"), ()
        seconds(folder, *with_plugin), seconds(folder, *without)
        ratios = [seconds(folder, *with_plugin) / seconds(folder, *without) for _ in range(rounds)]
    print(
        f"with / without the plugin = {statistics.median(ratios):.3f} "
        f"(from {min(ratios):.3f} to {max(ratios):.3f}, {rounds} rounds); no heavy module imported"
    )


if __name__ == "__main__":
    main()
