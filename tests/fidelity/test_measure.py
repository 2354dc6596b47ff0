"""Measurements and budgets: plain, and in cells that are native or emulated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fidelity.harness import Case
from pytest_arm64.cli import main

SUITE = """
    import pytest

    def work():
        return len(bytearray(100_000))

    @pytest.mark.arm64_budget(latency="1ns", memory="1MB")
    def test_slow(arm64_measure):
        found = arm64_measure(work, rounds=5, warmup=1)
        assert found.result == 100_000
        assert found.latency.count == 5
        assert found.memory.peak >= 100_000

    @pytest.mark.arm64_budget(memory="50kB")
    def test_large(arm64_measure):
        arm64_measure(work, rounds=1)

    def test_no_budget(arm64_measure):
        ratio = arm64_measure.compare(work, work, rounds=5)
        assert ratio.low <= ratio.value <= ratio.high
        assert arm64_measure.cold_start("json", rounds=1).count == 1
"""
NATIVE = {"machine": "aarch64", "emulated": False}
EMULATED = {"machine": "aarch64", "emulated": True}
X86 = {"machine": "x86_64", "emulated": False}
# Older versions of pytest leave the reason out of the summary.
SLOW = re.compile(r"work: median latency(?s:.*)^FAILED test_it.py::test_slow", re.M)
LARGE = re.compile(r"work: peak heap 100 kB is over(?s:.*)^FAILED test_it.py::test_large", re.M)


def run(folder: Path, facts: object, *arguments: str, suite: str = SUITE) -> tuple[int, str]:
    environment = {"PLACED_FACTS": json.dumps(facts)}
    case = Case(folder / "case", {"test_it.py": suite}, environment)
    case.write()
    place = ("-p", "measured_place") if facts else ()
    ours = ("--arm64",) if facts else ()
    process = case.start(["-p", "no:cacheprovider", *place, *arguments], *ours)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


@pytest.mark.parametrize(
    ("facts", "judged"), [(NATIVE, True), (EMULATED, False), (X86, False), (None, False)]
)
def test_time_is_judged_on_native_arm_alone_memory_everywhere(
    tmp_path: Path, facts: object, judged: bool
) -> None:
    code, out = run(tmp_path, facts)
    assert code == 1
    assert bool(SLOW.search(out)) == judged, out
    assert LARGE.search(out)
    assert ("2 failed, 1 passed" if judged else "1 failed, 2 passed") in out
    assert ("budget of latency not evaluated" in out) != judged
    assert out.count("test_it.py::test_no_budget: work\n") == 1
    assert "test_it.py::test_no_budget: json (cold start)" in out


def test_emulated_is_said_of_its_numbers(tmp_path: Path) -> None:
    _, out = run(tmp_path, EMULATED)
    assert "arm64 measure: [1] aarch64 EMULATED" in out
    assert "times say nothing, counts of allocations do" in out
    assert "1 budget of latency not evaluated: emulated time proves nothing" in out


def test_a_silent_cell_stands_beside_and_all_values_are_kept(tmp_path: Path) -> None:
    report = tmp_path / "report"
    cores = ("--arm64-cpu", "graviton2,graviton3")
    _, out = run(tmp_path, EMULATED, *cores, "--arm64-report", str(report))
    title = out[out.index("test_it.py::test_slow: work\n") :].splitlines()
    assert title[1].startswith("  [")
    assert title[2].startswith("  [")
    assert {title[1][3], title[2][3]} == {"1", "2"}
    document = json.loads((report / "measurements.json").read_text("utf-8"))
    found = [(one["where"]["core"], one["test"].partition("::")[2]) for one in document["measured"]]
    assert sorted(found) == [
        (core, test)
        for core in ("graviton2", "graviton3")
        for test in ("test_large", "test_no_budget", "test_slow")
    ]
    walls = [r["wall"] for one in document["measured"] for r in one["records"]]
    assert {len(wall) for wall in walls} == {1, 5}


def test_workers_and_junit_files_carry_them(tmp_path: Path) -> None:
    _, out = run(tmp_path, NATIVE, "-n2", "-k", "no_budget")
    assert "test_it.py::test_no_budget: work" in out
    tree = ElementTree.parse(tmp_path / "case/junit.xml")
    (told,) = [e.get("value") or "" for e in tree.iter("property")]
    assert [r["name"] for r in json.loads(told)["records"]] == ["work", "work", "json"]


NO_USE = """
    import pytest

    @pytest.mark.arm64_budget(latency="1ms")
    def test_nothing(): pass

    @pytest.mark.arm64_budget("1ms")
    def test_wrong(): pass

    @pytest.mark.arm64_budget(memory="512")
    def test_no_unit(): pass
"""


@pytest.mark.parametrize("facts", [NATIVE, None])
def test_a_budget_that_cannot_be_judged_is_a_failure(tmp_path: Path, facts: object) -> None:
    code, out = run(tmp_path, facts, "--strict-markers", suite=NO_USE)
    assert code == 1
    assert "3 failed" in out
    assert "arm64_budget: this test measures nothing" in out
    assert out.count('arm64_budget takes latency="100ms", memory="512MB" or both') >= 1
    assert "'512' is not a quantity such as '512MB'" in out


def test_a_run_without_measurements_says_nothing_of_them(tmp_path: Path) -> None:
    code, out = run(tmp_path, NATIVE, suite="def test_a(): pass\n")
    assert code == 0
    assert "arm64 measure" not in out


def test_a_strange_file_among_the_results_is_told(tmp_path: Path) -> None:
    suite = """
        import os, pathlib
        def test_a():
            folder = pathlib.Path(os.environ["PYTEST_ARM64_OUT"], "measure")
            folder.mkdir(exist_ok=True)
            (folder / "mine.json").write_text("[]")
    """
    code, out = run(tmp_path, NATIVE, "--arm64-report", str(tmp_path / "r"), suite=suite)
    assert code != 0
    assert "measure/mine.json in the cell's results is not a measurement" in out
    assert "Traceback" not in out


HOT = """
    def loops(n):
        total = 0
        for i in range(n):
            total += i * i
        return total

    def test_hot():
        for _ in range(40): loops(60_000)

    def test_cold(): pass
"""
LOOPS = "test_it.py:1 loops"


@pytest.mark.parametrize(("facts", "calls"), [(NATIVE, False), (EMULATED, True)])
def test_hot_spots(tmp_path: Path, facts: object, calls: bool) -> None:
    report = str(tmp_path / "report")
    code, out = run(
        tmp_path, facts, "--arm64-profile", "--arm64-report", report, "-W", "error", suite=HOT
    )
    assert code == 0, out
    (line,) = [line for line in out.splitlines() if line.endswith(LOOPS)]
    assert float(line.split("%")[0]) > 80
    assert (line.split()[1] == "40") == calls
    assert ("prove nothing" in out) == calls
    (found,) = json.loads((tmp_path / "report/profile.json").read_text("utf-8"))["profiles"]
    assert found["functions"][0][:3] == ["test_it.py", 1, "loops"]


def test_hot_spots_of_two_cells_and_of_workers(tmp_path: Path) -> None:
    _, out = run(
        tmp_path,
        EMULATED,
        "--arm64-profile",
        "--arm64-cpu",
        "graviton2,graviton3",
        "-n2",
        suite=HOT,
    )
    assert "arm64 profile: [2] aarch64 EMULATED" in out
    (line,) = [line for line in out.splitlines() if line.endswith(LOOPS)]
    shares = line.split()
    assert (shares[1], shares[3]) == ("40", "40")
    assert shares[4][0] in "+-"


def test_without_the_option_nothing_is_profiled(tmp_path: Path) -> None:
    _, out = run(tmp_path, EMULATED, suite=HOT)
    assert "arm64 profile" not in out


EXAMPLE = Path(__file__).parents[2] / "examples/image_classification"
NORMALISING = """
    import sys
    sys.path.insert(0, {example!r})
    from image_classification.preprocess import Normaliser, normalise_with_loops, to_network
    from image_classification.textures import textures

    def test_preprocessing():
        normalise = {normalise}
        for _, image in textures({images}, seed=1):
            to_network(normalise(image))
"""


def test_vectorising_the_example_takes_its_loops_from_the_top(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = {"before": ("normalise_with_loops", 5), "after": ("Normaliser()", 150)}
    for side, (normalise, images) in sides.items():
        report = str(tmp_path / side)
        suite = NORMALISING.format(example=str(EXAMPLE), normalise=normalise, images=images)
        options = ("--arm64-profile", "--arm64-report", report)
        code, out = run(tmp_path, NATIVE, *options, suite=suite)
        assert code == 0, out
    files = [f"{side}={tmp_path / side / 'profile.json'}" for side in sides]
    assert main(["profile", *files]) == 0
    (row,) = [
        line.split()
        for line in capsys.readouterr().out.splitlines()
        if line.endswith(" normalise_with_loops")
    ]
    before, after, moved = (float(word.rstrip("%")) for word in row[:3])
    assert before > 60  # and nothing else can stand above it
    assert after == 0
    assert moved == -before
