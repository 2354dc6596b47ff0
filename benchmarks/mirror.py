"""How much longer a mirrored, warm run takes than a bare `docker exec … pytest` of the same suite.

Both sides run the same tests in the same image on the same emulated core, in turn, and the
ratio of each pair is what counts; the bare side does not pay for starting its container.

    eval "$(scripts/engine env)"; python benchmarks/mirror.py [--tests 200 5000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_arm64.config.cell import Cell
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.endpoint import open_engine
from pytest_arm64.environment.build import make_environment
from pytest_arm64.environment.tree import PYTHON
from pytest_arm64.index.pip_config import host_pip_config
from pytest_arm64.progress import NoProgress
from pytest_arm64.run.cell_container import cell_environment, cell_plan
from pytest_arm64.run.mounts import project_mounts
from pytest_arm64.setup.doctor import settings_here


def write_suite(folder: Path, count: int) -> None:
    """*count* trivial tests, a hundred to a module, and no requirement but pytest."""
    (folder / "requirements.txt").write_text("")
    (folder / "requirements-test.txt").write_text("pytest\n")
    per_module = 100
    for number in range((count + per_module - 1) // per_module):
        tests = min(per_module, count - number * per_module)
        body = "".join(f"def test_{i}():\n    assert {i} + 1 == {i + 1}\n\n" for i in range(tests))
        (folder / f"test_{number}.py").write_text(body)


def with_byte_code() -> dict[str, str]:
    """This environment, but one in which what Python and pytest have compiled is kept."""
    left_out = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in left_out}


def compare(count: int, rounds: int) -> list[tuple[float, float]]:
    """Seconds mirrored and bare, one pair per round."""
    pairs = []
    with tempfile.TemporaryDirectory() as name, open_engine() as engine:
        folder = Path(name)
        write_suite(folder, count)
        settings = settings_here(folder)
        image = settings.image.replace("{arch}", "arm64") or settings.target.reference
        cell = Cell(settings.target, "arm64", settings.core, image)
        environment = make_environment(
            engine, cell, settings, folder, NoProgress(), host_pip_config()
        )
        variables = cell_environment(engine, cell, environment, settings, os.environ)
        mounts = project_mounts(settings.root, os.environ)
        plan = cell_plan(engine, cell, environment, settings, mounts)

        def mirrored(*tests: str) -> float:
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "pytest", "--arm64", "-q", *tests],
                cwd=folder,
                env=with_byte_code(),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return time.perf_counter() - began

        with Container(engine, plan) as container:

            def bare(*tests: str) -> float:
                began = time.perf_counter()
                finished = container.run(
                    [PYTHON, "-m", "pytest", "-q", *tests],
                    environment=variables,
                    workdir=str(folder),
                )
                assert finished.code == 0, finished.text
                return time.perf_counter() - began

            mirrored("test_0.py"), bare("test_0.py")
            for _ in range(rounds):
                there, here = mirrored(), bare()
                pairs.append((there, here))
                print(f"  {count} tests: mirrored {there:.2f} s, bare {here:.2f} s", flush=True)
    return pairs


def further(before: tuple[int, float, float], now: tuple[int, float, float]) -> str:
    """What each test more has cost on both sides; the same at every size where it is linear.

    *before* and *now* are a number of tests and its seconds mirrored and natively.
    """
    tests = now[0] - before[0]
    if not before[0] or not tests:
        return ""
    there, here = ((now[n] - before[n]) / tests * 1000 for n in (1, 2))
    return f"; each further test {there:.2f} ms, natively {here:.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, nargs="+", default=[200, 5000])
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    before = (0, 0.0, 0.0)
    for count in sorted(chosen.tests):
        pairs = compare(count, chosen.rounds)
        there, here = (min(side) for side in zip(*pairs, strict=True))
        ratios = [mirrored / bare for mirrored, bare in pairs]
        print(
            f"{count} tests: mirrored / bare = {statistics.median(ratios):.2f} "
            f"(from {min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} rounds)"
            + further(before, (count, there, here)),
            flush=True,
        )
        before = count, there, here


if __name__ == "__main__":
    main()
