"""`pytest --arm64` from end to end: outcomes, header, exit code, second run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from docker_cases import RunPytest, outcomes

SUITE = """
import platform, sys
import pytest

def test_is_arm(arm64_target):
    assert platform.machine() == "aarch64" == arm64_target["machine"]

def test_fails():
    assert 1 + 1 == 3

@pytest.mark.parametrize("word", ["ä ö", "a::b", "[x]"])
def test_words(word):
    assert word

@pytest.mark.skip(reason="not today")
def test_skipped():
    raise AssertionError

@pytest.mark.xfail(strict=True)
def test_expected():
    assert False

def test_prints(capfd):
    print("to be seen only with -s")

def test_arm64_marker_is_known(request):
    assert any(line.startswith("arm64:") for line in request.config.getini("markers"))
"""

PLACE = r"aarch64 (native|EMULATED on \w+( by qemu [\d.]+)?)"


def test_outcomes_header_and_exit_code(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path
) -> None:
    folder = project(test_it=SUITE)
    first = run_pytest(folder, "--arm64", f"--junitxml={tmp_path / 'junit.xml'}", "-v")
    assert first.code == 1, first.out
    assert "1 failed, 6 passed, 1 skipped, 1 xfailed" in first.out
    assert "assert (1 + 1) == 3" in first.out
    found = outcomes(tmp_path / "junit.xml")
    assert found["test_it", "test_fails"] == "failure"
    assert found["test_it", "test_words[a::b]"] == "passed"
    assert len(found) == 9

    header = first.lines("arm64:")
    assert any("target al2023-python3.12" in line for line in header)
    assert any(re.search(rf"{PLACE}, core \S", line) for line in header)
    assert not any("core max" in line for line in header)

    second = run_pytest(folder, "--arm64", "-k", "words", "-q")
    assert second.code == 0, second.out
    assert "3 passed, 6 deselected" in second.out
    # Said also where -q leaves out the header.
    assert re.search(rf"^arm64: {PLACE}, core .* on ", second.out, re.M)


def test_a_second_run_installs_nothing_and_says_so(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    # Byte-code is part of what is installed: without it every start would compile anew.
    folder = project(
        test_it="import os, pluggy\ndef test_it(): assert os.path.exists(pluggy.__cached__)"
    )
    run_pytest(folder, "--arm64")
    second = run_pytest(folder, "--arm64")
    assert second.code == 0, second.out
    assert "reused, nothing installed" in second.out
    assert "install packages" not in second.out


def test_a_path_with_spaces_and_umlauts(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it="def test_it(): pass")
    odd = folder.parent / "ein Größenmaß, älter"
    folder.rename(odd)
    result = run_pytest(odd, "--arm64", "-q", "test_it.py::test_it")
    assert result.code == 0, result.out
    assert "1 passed" in result.out


def test_output_is_live_and_the_protocol_cannot_be_imitated(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(
        test_it="""
import os
def test_it():
    os.write(1, b'["finish",0,null]\\n["exit",0]\\n')
    os.system("echo from a child")
    print("hällo")
    assert False
"""
    )
    result = run_pytest(folder, "--arm64", "-s")
    assert result.code == 1, result.out
    assert "from a child" in result.out
    assert "hällo" in result.out
    assert '["finish",0,null]' in result.out
    assert "1 failed" in result.out


def test_the_cache_of_the_session_inside_is_the_projects(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it="def test_a(): assert 0\ndef test_b(): pass")
    run_pytest(folder, "--arm64")
    again = run_pytest(folder, "--arm64", "--lf")
    assert "1 failed" in again.out
    assert "passed" not in again.out.splitlines()[-1]


def test_a_missing_package_is_told_without_a_traceback(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project("pytest-arm64-there-is-no-such-package==1\n", test_it="def test_it(): pass")
    result = run_pytest(folder, "--arm64")
    assert result.code == 4, result.out
    assert "no-such-package: no index has a project of this name" in result.out
    assert "next step:" in result.out
    assert "Traceback" not in result.out


def test_the_cores_that_are_asked_for_are_the_ones_that_run(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    # HWCAP bit 22 is SVE: Graviton3's Neoverse V1 has it, Graviton2's N1 has not.
    folder = project(
        test_it="""
import ctypes
from pathlib import Path
def test_it(arm64_target):
    getauxval = ctypes.CDLL(None).getauxval
    getauxval.restype = getauxval.argtypes = None
    getauxval.restype = ctypes.c_ulong
    has_sve = bool(getauxval(ctypes.c_ulong(16)) >> 22 & 1)
    if arm64_target["emulated"]:
        assert has_sve == ("graviton3" in arm64_target["core"])
    assert arm64_target["core"]
    Path("core").write_text(arm64_target["core"])
"""
    )
    result = run_pytest(folder, "--arm64", "--arm64-cpu", "graviton3,graviton2", "-v")
    assert result.code == 0, result.out
    assert f"arm64::{folder.name}::graviton2 PASSED" in result.out
    assert "2 passed" in result.out
    # What the other one wrote stayed in its copy of the project.
    core = (folder / "core").read_text()
    assert core == "graviton3 (qemu neoverse-v1)" or "native" in result.out


def test_what_is_wrong_on_graviton3_alone_is_found_by_default(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    """Apache Arrow issue 50605: SVE code of pyarrow 25.0.0 decodes dictionaries wrongly."""
    folder = project(
        "pyarrow==25.0.0",
        test_it="""
import io
import pyarrow, pyarrow.parquet
def test_doubles():
    wanted = [number % 5 + 0.5 for number in range(300)]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"n": wanted}), file)
    file.seek(0)
    assert pyarrow.parquet.read_table(file)["n"].to_pylist() == wanted
""",
        test_plain="def test_plain(): pass",
    )
    result = run_pytest(folder, "--arm64", "-v")
    if "EMULATED" not in result.out:
        assert "graviton3" not in result.out
        return
    assert result.code == 1, result.out
    assert "pyarrow 25.0.0 with code that graviton2 never runs" in result.out
    assert "test_it.py::test_doubles PASSED" in result.out  # on graviton2
    assert f"arm64::{folder.name}::graviton3 FAILED" in result.out
    assert "1 of 1 tests fail on graviton3" in result.out
    assert "1 of 2 tests can reach pyarrow 25.0.0" in result.out
    assert "At index 4 diff: " in result.out


def test_no_image_of_ours_is_ever_pulled(
    run_pytest: RunPytest, project: Callable[..., Path]
) -> None:
    folder = project(test_it="def test_it(): pass")
    result = run_pytest(folder, "--arm64", "--arm64-image", "pytest-arm64/stand-in:none")
    assert result.code == 4
    assert "never pulled" in result.out
    assert "Traceback" not in result.out
