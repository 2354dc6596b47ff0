"""The comparison of several cores with x86 in real containers."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest, outcomes
from pytest_arm64.engine.endpoint import Engine

CORES = """
import ctypes, mmap, os, platform

ARM = platform.machine() == "aarch64"
if ARM:
    os.environ["OPENBLAS_CORETYPE"] = "NEOVERSEN1"  # of another core than graviton3 and graviton4

RDVL = bytes.fromhex("2050bf04" "c0035fd6")  # rdvl x0, #1 (SVE); ret


def vector_length():
    if not ARM:
        return 16
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(RDVL)
    return ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()


def test_vector_length(arm64_golden):
    arm64_golden.check(vector_length())


def test_product(arm64_golden):
    import numpy as np
    table = np.arange(4096.0).reshape(64, 64) / 64
    arm64_golden.check(table @ table)


def test_broken_everywhere():
    assert 1 + 1 == 3
"""


def test_what_differs_between_cores_is_told_of_the_core(
    run_pytest: RunPytest, project: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    """An SVE instruction kills Graviton2, and only Graviton4's vectors are as long as x86's."""
    if engine.machine != "x86_64":
        pytest.skip("no core is emulated here, and the x86 side would be")
    junit = tmp_path / "junit.xml"
    folder = project("numpy\n", test_cores=CORES)
    result = run_pytest(
        folder,
        *("--arm64", "--arm64-compare", "--arm64-cpu", "graviton3,graviton2,graviton4"),
        f"--junitxml={junit}",
    )
    assert result.code == 1, result.out
    assert outcomes(junit) == {
        (f"arm64.{folder.name}", "graviton2"): "failure",
        (f"arm64.{folder.name}", "graviton4"): "passed",
        ("test_cores", "test_vector_length"): "failure",
        ("test_cores", "test_product"): "passed",
        ("test_cores", "test_broken_everywhere"): "failure",
    }
    told = result.out
    assert (
        "1 of 3 tests fail or differ on graviton2, first test_cores.py::test_vector_length" in told
    )
    assert "killed by SIGILL" in told
    assert "graviton2 has no SVE" in told
    assert "golden 16, here 32" in told  # Graviton3's own vectors
    assert "it fails there in the same way: no ARM64 finding" in told
    for core in ("graviton3", "graviton4"):
        assert f"OpenBLAS picked the kernels of NEOVERSEN1 on {core}" in told
    assert "values compared on graviton4 (qemu neoverse-n2): 2 identical" in told


EXAMPLES = Path(__file__).parents[2] / "examples"
AGAIN = """
import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    golden = pyfuncitem.funcargs.get("arm64_golden")
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    for _ in range(49 if golden else 0):
        pyfuncitem.obj(**arguments)
        golden._names.clear()
        golden._count = 0
    yield
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("example", "tests", "values"),
    [
        ("parjanya/services/technical_validator", "camera", 20),
        ("svm_benchmark", "16", 4),
        ("image_classification", "answers or quick", 11),
    ],
)
def test_an_example_computes_what_x86_did_fifty_times_over(
    run_pytest: RunPytest, tmp_path: Path, example: str, tests: str, values: int
) -> None:
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLES / example, folder)
    (folder / "again.py").write_text(AGAIN)
    result = run_pytest(
        folder,
        *("--arm64", "--arm64-cpu", "graviton2", "-pagain", "tests/test_goldens.py", "-k", tests),
    )
    assert result.code == 0, result.out
    assert f"arm64 golden: {50 * values} values compared" in result.out
