"""Several cells in one session: the silent ones first, the shown one last."""

from __future__ import annotations

from fidelity.harness import HERE, MakeCase, Result

SUITE = """
    import os, pathlib, pytest, random
    CORE = os.environ["WHERE"]
    def test_passes(): pass
    def test_there(): assert CORE != "graviton3", "only there"
    @pytest.mark.xfail
    def test_known(): assert 0
    @pytest.mark.parametrize("n", range(3))
    def test_n(n): pass
    def test_prints(): print("printed in a cell")
    def test_writes():
        folder = pathlib.Path(os.environ["PYTEST_ARM64_OUT"], "sub")
        folder.mkdir(exist_ok=True)
        (folder / "seed.txt").write_text(
            os.environ["PYTHONHASHSEED"] + os.environ["PYTEST_ARM64_SEED"])
"""

# Stands for whoever compares the cells: knows what the silent one has left, gives it to the
# mirrored one, and has both repeat a test at the end.
COMPARER = """
    import pathlib, pytest, tempfile
    @pytest.hookimpl(optionalhook=True)
    def pytest_arm64_cell(cell, result, mirrored):
        global CELL
        CELL = cell
        text = (result.out / "sub/seed.txt").read_text()
        mirrored.give({"given/seed.txt": text.encode()})
        print("SILENT", result.status, result.planned.name, result.problems)
        for test in result.tests.values():
            print("SILENT", test.nodeid, test.outcome, test.text[-9:])
    @pytest.hookimpl(optionalhook=True)
    def pytest_arm64_finished(mirrored, complete, again):
        print("COMPLETE", complete)
        for found in (CELL.run(only=["test_it.py::test_there"]), again(["test_it.py::test_n[1]"])):
            print("AGAIN", found.planned.name, sorted(found.tests), found.problems)
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            mirrored.fetch(folder)
            print("SAME", len({path.read_text() for path in folder.glob("*/seed.txt")}),
                  len(list(folder.glob("*/seed.txt"))))
"""


def test_a_further_core_is_one_gate(project: MakeCase) -> None:
    result = project(SUITE).mirrored(["--arm64-cpu", "graviton2,graviton3,graviton4", "-v"])
    assert result.code == 1
    assert "arm64::project::graviton3 FAILED" in result.text
    assert "arm64::project::graviton4 PASSED" in result.text
    assert "1 of 8 tests fail on graviton3" in result.text
    assert "only there" in result.text
    assert "1 failed, 8 passed, 1 xfailed" in result.text
    assert result.text.count("test_it.py::test_passes PASSED") == 1


def test_a_further_core_that_cannot_run_is_not_green(project: MakeCase) -> None:
    code = "import os\nif os.environ['WHERE'] == 'graviton4': os._exit(0)\ndef test_a(): pass"
    result = project(code).mirrored(["--arm64-cpu", "graviton2,graviton4"])
    assert result.code == 1
    assert "the process inside died while it collected" in result.text
    assert "1 failed, 1 passed" in result.text


def test_a_death_in_a_silent_cell_fails_its_test_there(project: MakeCase) -> None:
    code = """
        import os
        def test_a(): pass
        def test_b(): os.environ["WHERE"] != "graviton4" or os.abort()
        def test_c(): pass
    """
    result = project(code).mirrored(["--arm64-cpu", "graviton2,graviton4"])
    assert result.code == 1
    assert "1 of 3 tests fail on graviton4" in result.text
    assert "killed by SIGABRT" in result.text
    assert "1 failed, 3 passed" in result.text


def test_who_compares_gets_both_sides(project: MakeCase) -> None:
    files = {"test_it.py": SUITE, "side/comparer.py": COMPARER}
    case = project(files, environment={"PYTHONPATH": f"{HERE}:side"})
    result = case.mirrored(["--arm64-cpu", "graviton2,graviton3", "-p", "comparer", "-s"])
    lines = result.text.splitlines()
    assert "SILENT 1 graviton3 ()" in lines
    assert "SILENT test_it.py::test_known xfailed " in lines
    assert any(line.startswith("SILENT test_it.py::test_there failed") for line in lines)
    assert "COMPLETE True\n" in result.text
    assert "AGAIN graviton3 ['test_it.py::test_there'] ()" in lines
    assert "AGAIN graviton2 ['test_it.py::test_n[1]'] ()" in lines
    assert "SAME 1 2" in lines


# ``zed`` stands for a deployed package with SVE code: what it says depends on the core.
ZED = {
    "side/zed.py": """
        import os
        def total(): return 4 if os.environ["QEMU_CPU"] == "neoverse-v1" else 3
    """,
    "app/__init__.py": "",
    "app/sums.py": "from zed import total",
    "app/words.py": "def shout(word): return word.upper()",
    "test_sums.py": """
        from app import sums
        def test_sum(): assert sums.total() == 3
        def test_other(): assert sums
    """,
    "test_words.py": """
        import os
        from app.words import shout
        def test_shout(): assert shout("a") == "A"
        def test_core(): assert os.environ["QEMU_CPU"] == "neoverse-n1"
    """,
}
GATE = "arm64::project::graviton3"
ON_FIRST = "import os\ndef test_core():\n    assert os.environ['QEMU_CPU'] == 'neoverse-n1'"


def with_zed(project: MakeCase, *words: str, place: str = "", **files: str) -> Result:
    """What pytest makes of ``ZED`` with more *files*, which replace those of the same name."""
    environment = {"PYTHONPATH": f"{HERE}:side:.", "CORES_PLACE": place}
    more = {f"{name}.py": text for name, text in files.items()}
    case = project({**ZED, **more}, environment=environment)
    return case.mirrored(["-p", "cores_place", "-v", *words])


def test_by_default_what_reaches_code_for_another_core_runs_there_too(project: MakeCase) -> None:
    result = with_zed(project)
    assert result.code == 1
    assert f"{GATE} FAILED" in result.text
    assert "1 of 2 tests fail on graviton3, first test_sums.py::test_sum" in result.text
    assert "assert 4 == 3" in result.text
    assert "1 failed, 4 passed" in result.text


def test_a_core_that_is_named_runs_alone(project: MakeCase) -> None:
    result = with_zed(project, "--arm64-cpu", "graviton2")
    assert result.code == 0
    assert "4 passed" in result.text


def test_the_core_of_a_native_machine_is_left_to_it(project: MakeCase) -> None:
    result = with_zed(project, place="native")
    assert result.code == 0
    assert "4 passed" in result.text


def test_a_library_that_no_test_loaded_is_reached_by_none(project: MakeCase) -> None:
    result = with_zed(project, place="unloaded")
    assert result.code == 0
    assert "4 passed" in result.text


def test_a_test_counts_that_may_reach_it_in_another_way(project: MakeCase) -> None:
    ways = [
        "from app import sums",
        "import app.sums as late",
        "from unittest.mock import patch; patch('app.sums.total', lambda: 3)",
        "import importlib; importlib.import_module('app.' + 'sums')",
        "import subprocess; subprocess.run(['true'], check=True)",
    ]
    files = {f"test_{n}": f"{ON_FIRST}\n    {way}" for n, way in enumerate(ways)}
    below = {"below/conftest": "import app.sums", "below/test_below": ON_FIRST}
    result = with_zed(project, **files, **below)
    # Beside these test_sums.py, one of whose two tests passes.
    assert f"{len(ways) + 2} of {len(ways) + 3} tests fail on graviton3" in result.text
    assert "FAILED test_words.py" not in result.text


def test_what_a_framework_loads_by_its_own_names_all_tests_may_reach(project: MakeCase) -> None:
    loads = "def load(): __import__('app' + '.sums')"
    result = with_zed(
        project,
        **{"side/site-packages/frame": loads},
        test_sums="def test_a(): pass",
        test_words="import os, sys\nsys.path.append(os.path.abspath('side/site-packages'))\n"
        "import frame\ndef test_b():\n    frame.load()\n"
        "    assert os.environ['QEMU_CPU'] == 'neoverse-n1'",
    )
    assert "1 of 2 tests fail on graviton3, first test_words.py::test_b" in result.text


def test_what_fails_wherever_it_runs_again_is_no_finding_of_the_core(project: MakeCase) -> None:
    once = """
        import pathlib, zed
        def test_once(): pathlib.Path("made").mkdir()
    """
    result = with_zed(project, test_sums=once)
    assert result.code == 0
    assert f"{GATE} PASSED" in result.text


def test_what_failed_already_does_not_run_on_the_other_core(project: MakeCase) -> None:
    result = with_zed(project, test_sums=f"import zed\ndef test_a(): assert 0\n{ON_FIRST}")
    assert "1 of 1 tests fail on graviton3, first test_sums.py::test_core" in result.text


def test_a_run_that_stopped_early_runs_nothing_on_the_other_core(project: MakeCase) -> None:
    result = with_zed(project, "-x", test_a="def test_a(): assert 0")
    assert result.code == 1
    assert GATE not in result.text


def test_workers_run_what_reaches_it_on_the_other_core(project: MakeCase) -> None:
    result = with_zed(project, "-n", "2")
    assert result.code == 1
    assert "1 of 2 tests fail on graviton3" in result.text


def test_the_gate_of_the_other_core_can_be_named(project: MakeCase) -> None:
    result = with_zed(project, "test_sums.py::test_other", GATE)
    assert result.code == 0
    assert f"{GATE} PASSED" in result.text
