"""Several cells in one session: the silent ones first, the shown one last."""

from __future__ import annotations

from fidelity.harness import HERE, MakeCase

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
ONE = """
    import os
    def test_there(): assert os.environ["WHERE"] != "graviton3"
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


def test_auto_adds_the_core_that_deployed_code_can_tell_apart(project: MakeCase) -> None:
    result = project(SUITE).mirrored(["-p", "cores_place", "--arm64-cpu", "auto", "-v"])
    assert result.code == 1
    assert "arm64::project::graviton3 FAILED" in result.text
    assert "1 of 8 tests fail on graviton3" in result.text
    assert "only there" in result.text
    assert "1 failed, 7 passed, 1 xfailed" in result.text


def test_without_auto_the_default_core_runs_alone(project: MakeCase) -> None:
    result = project(ONE).mirrored(["-p", "cores_place", "-v"])
    assert result.code == 0
    assert "arm64::" not in result.text


def test_auto_leaves_a_native_machine_its_core(project: MakeCase) -> None:
    case = project(ONE, environment={"CORES_PLACE": "native"})
    result = case.mirrored(["-p", "cores_place", "--arm64-cpu", "auto", "-v"])
    assert result.code == 0
    assert "arm64::" not in result.text


def test_the_gate_of_the_core_that_auto_adds_can_be_named(project: MakeCase) -> None:
    gate = "arm64::project::graviton3"
    line = ["-p", "cores_place", "--arm64-cpu", "auto", "-v", "test_it.py::test_passes", gate]
    result = project(SUITE).mirrored(line)
    assert result.code == 0
    assert f"{gate} PASSED" in result.text
