"""``--arm64-compare`` and ``--arm64-record`` with both sides on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from fidelity.harness import Case, MakeCase, Result

SUITE = """
    import os, pathlib, pytest, warnings
    X86 = os.environ.get("WHERE") == "linux/amd64"
    def test_same(arm64_golden): arm64_golden.check([1, 2.5, "a"])
    def test_value(arm64_golden): arm64_golden.check({"score": 1 if X86 else 2})
    def test_only_arm_fails(): assert X86, "not here"
    def test_only_x86_fails(): assert not X86, "not there"
    def test_both_fail(): raise ValueError("as ever")
    def test_other_exception(): raise (KeyError if X86 else TypeError)("why")
    @pytest.mark.skipif(not X86, reason="not on ARM")
    def test_skipped(): pass
    def test_warns():
        if not X86: warnings.warn("invalid value encountered in cast", RuntimeWarning)
    def test_slow(): assert X86, "elapsed time is too long"
    if X86:
        def test_there(): pass
    else:
        def test_here(): pass
    def test_flaky(tmp_path_factory):
        counter = pathlib.Path(os.environ["PYTEST_ARM64_OUT"], "counter")
        runs = int(counter.read_text()) if counter.exists() else 0
        counter.write_text(str(runs + 1))
        assert X86 or runs > 0
"""


def mirrored(case: Case, *arguments: str) -> Result:
    return case.mirrored(list(arguments))


def test_what_differs_is_a_finding_of_its_test(project: MakeCase) -> None:
    result = mirrored(project(SUITE), "--arm64-compare", "-rA", "-vv")
    assert result.code == 1
    found = {line.split()[1].partition("::")[2]: line for line in result.summary() if "::" in line}
    assert found["test_same"].startswith("PASSED")
    assert found["test_skipped"].startswith("ERROR")  # it is skipped before it runs
    assert found["test_only_x86_fails"].startswith("FAILED")
    assert "on ARM64 it passes, on linux/amd64 it fails" in result.text
    assert "on ARM64 it is skipped, on linux/amd64 it passes" in result.text
    assert "on ARM64 it fails, on linux/amd64 it passes" in result.text
    assert "it fails there in the same way: no ARM64 finding" in result.text
    assert "on linux/amd64 it fails otherwise: KeyError: 'why'" in result.text
    assert "on ARM64: TypeError: why" in result.text
    texts = json.dumps(result.junit)
    assert "on linux/amd64 it fails otherwise: KeyError: 'why'" in texts
    assert "on ARM64 it fails, on linux/amd64 it passes" in texts
    assert "only on ARM64: RuntimeWarning: invalid value encountered in cast" in result.text
    assert "this test was collected on linux/amd64 only" in result.text
    assert "this test was not collected on linux/amd64" in result.text
    assert "golden '0': integer/cast" in result.text
    assert "an integer differs by 1" in result.text
    assert "computed on x86 in this run" in result.text
    assert "arm64 golden: 2 values compared: 1 identical, 1 integer/cast" in result.text
    assert "flaky: test_it.py::test_flaky differs from itself on ARM64" in result.text
    assert "flaky: test_it.py::test_value" not in result.text
    assert not any("arm64_golden" in file for file in result.files)


def test_the_last_test_dies_on_the_other_side_alone(project: MakeCase) -> None:
    code = """
        import os
        def test_dies_there_too(): os.abort()
        def test_last(): os.environ["WHERE"] != "linux/amd64" or os.abort()
    """
    result = mirrored(project(code), "--arm64-compare", "-v")
    assert result.code == 1
    cause = "the process that ran this test died: killed by SIGABRT"
    assert f"on ARM64 it passes, on linux/amd64 it fails: {cause}" in result.text
    assert "2 failed in" in result.text
    assert "it fails there in the same way: no ARM64 finding" in result.text
    assert "fails otherwise" not in result.text
    assert "incomplete run" not in result.text
    assert "flaky" not in result.text


def test_a_value_that_x86_did_not_get_to_names_what_ended_it_there(project: MakeCase) -> None:
    code = """
        import os, signal
        X86 = os.environ["WHERE"] == "linux/amd64"
        def test_dies(arm64_golden):
            if X86: os.kill(os.getpid(), signal.SIGFPE)
            arm64_golden.check(1 // 1)
        def test_raises(arm64_golden):
            arm64_golden.check(1)
            if X86: raise OverflowError("too large")
            arm64_golden.check(2, name="second")
        def test_another_name(arm64_golden):
            arm64_golden.check(3, name="x86" if X86 else "arm")
    """
    result = mirrored(project(code), "--arm64-compare")
    assert result.code == 1
    died = "x86 did not compute '0': the process that ran this test died: killed by SIGFPE"
    assert f"exception or signal changed: {died}" in result.text
    raised = "x86 did not compute 'second': OverflowError: too large"
    assert f"exception or signal changed: {raised}" in result.text
    assert "golden missing: x86 did not compute 'arm'" in result.text
    assert "record one" not in result.text


NOISY = """
    import os, numpy as np
    X86, NARROW = os.environ["WHERE"] == "linux/amd64", "OPENBLAS_CORETYPE" in os.environ
    VALUES = np.linalg.eigvals(np.random.default_rng(7).standard_normal((40, 40)))
    def here(other): return VALUES if X86 and not NARROW else other
    def test_noise(arm64_golden): arm64_golden.check(here(VALUES * (1 + 1e-9)))
    def test_order(arm64_golden): arm64_golden.check(here(VALUES[::-1]))
    def test_any_order(arm64_golden): arm64_golden.check(here(VALUES[::-1]), order="any")
    def test_zeros(arm64_golden): arm64_golden.check(here(VALUES[::-1] if X86 else VALUES * 0))
    def test_stable(arm64_golden): arm64_golden.check(VALUES * (1 if X86 else 1 + 1e-9))
"""
# On the host alone: the processes inside have a role.
NO_NUMPY = """
    import os, sys
    if "PYTEST_ARM64_OUT" not in os.environ:
        sys.modules["numpy"] = None
"""


def test_noise_of_x86_is_measured_inside_where_numpy_is(project: MakeCase) -> None:
    case = project({"test_it.py": NOISY, "without_numpy.py": NO_NUMPY})
    case.module = True
    result = mirrored(case, "--arm64-compare", "-pwithout_numpy", "-rA")
    assert "NumPy is not installed" not in result.text
    outcomes = {
        line.split()[1].partition("::")[2]: line.split()[0]
        for line in result.summary()
        if "::" in line
    }
    assert outcomes == {
        "test_noise": "PASSED",
        "test_order": "PASSED",
        "test_any_order": "PASSED",
        "test_zeros": "FAILED",
        "test_stable": "FAILED",
    }
    assert "1 unstable on x86 itself" in result.text
    assert "test_order: '0' is not compared: x86 itself computes another value" in result.text
    assert "1 dispatch noise" in result.text


def test_nothing_differs_where_nothing_does(project: MakeCase) -> None:
    code = """
        import pytest, warnings
        def test_a(arm64_golden): arm64_golden.check([0.1] * 3)
        def test_b(): warnings.warn("on both")
        @pytest.mark.xfail
        def test_c(): assert 0
        @pytest.mark.skip
        def test_d(): pass
    """
    result = mirrored(project(code), "--arm64-compare")
    assert result.code == 0, result.text
    assert "arm64 compare: 4 tests run, on linux/amd64 too: 0 differ" in result.text


RECORDED = """
    import os, pytest
    X86 = os.environ.get("WHERE") == "linux/amd64"
    @pytest.mark.parametrize("n", range(3))
    def test_n(arm64_golden, n): arm64_golden.check(n * 0.1)
    def test_failing(arm64_golden):
        arm64_golden.check(1)
        assert not X86
"""


def test_recording_writes_what_x86_computes_and_comparing_needs_no_flag(project: MakeCase) -> None:
    case = project({"tests/test_it.py": RECORDED})
    result = case.mirrored(["--arm64-record"], [])
    assert "arm64 record: 3 goldens written, 0 unchanged" in result.texts[0]
    assert "1 tests fail on linux/amd64: no golden of theirs was changed" in result.texts[0]
    folder = case.project / "tests/arm64_golden/test_it"
    assert sorted(path.name for path in folder.iterdir()) == [
        "provenance.json",
        *(f"test_n[{n}].json" for n in range(3)),
    ]
    runs = json.loads((folder / "provenance.json").read_text())["runs"]
    (run,) = runs.values()
    assert run["cpu"]
    assert run["versions"]["python"]
    assert "arm64 golden: 4 values compared: 3 identical, 1 golden missing" in result.texts[1]


def test_a_crashed_recording_changes_nothing(project: MakeCase) -> None:
    code = RECORDED.replace("@pytest", "def test_dies(): X86 and os._exit(3)\n    @pytest", 1)
    stopped = RECORDED + "\n    def test_stops(): X86 and pytest.exit('enough')\n"
    for suite in (code, stopped):
        case = project({"tests/test_it.py": suite, "tests/arm64_golden/test_it/kept": "as it was"})
        result = mirrored(case, "--arm64-record")
        goldens = [file for file in result.files if "arm64_golden" in file]
        if suite is stopped:
            assert [Path(file).name for file in goldens] == ["arm64_golden", "test_it", "kept"]
            assert result.code != 0
            assert "no golden was changed: the run is not complete" in result.text
        else:
            assert "3 goldens written" in result.text  # the death is its own test's
