"""In which library a test failed: from a stack or the scan, and not where it is a guess."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.record import NEWER_CORE, AbiFinding, AbiRecord, CompiledFile
from pytest_arm64.decide.evidence import TestOutcome
from pytest_arm64.run.blamed_library import with_libraries

SITE = "/opt/pytest-arm64/env/lib/python3.11/site-packages"
RELATIVE = "env/lib/python3.11/site-packages"
DIED = """the process that ran this test died: killed by {signal} (exit code 1) (aarch64)
--- last output of the process ---
Fatal Python error: Illegal instruction

Current thread 0x00007fa65d755700 (most recent call first):
{frames}
Extension modules: simsimd, numpy._core._multiarray_umath (total: 2)"""
FILES = tuple(
    CompiledFile(f"{RELATIVE}/{name}", "aarch64", "library", package)
    for name, package in (
        ("simsimd.cpython-311-aarch64-linux-gnu.so", "simsimd-4.4.0"),
        ("usearch/compiled.cpython-311-aarch64-linux-gnu.so", "usearch-2.12.0"),
        ("numpy/_core/_multiarray_umath.cpython-311-aarch64-linux-gnu.so", "numpy-2.4.6"),
    )
)
SIMSIMD = AbiFinding(
    FILES[0].path, NEWER_CORE, "", grave=False, package="simsimd-4.4.0", symbols=("dot", "cos")
)
USEARCH = replace(SIMSIMD, path=FILES[1].path, package="usearch-2.12.0")


def frame(path: str, function: str) -> str:
    return f'  File "{path}", line 12 in {function}'


def blamed(
    text: str, *findings: AbiFinding, died: bool = True, outcome: str = "failed"
) -> tuple[str, tuple[str, ...]]:
    record = AbiRecord("a", "b", "aarch64", looked_up=True, files=FILES, findings=findings)
    (test,) = with_libraries([TestOutcome("t.py::t", outcome, 0.0, text, died)], record)
    return test.library, test.functions


def death(*frames: str, signal: str = "SIGILL") -> str:
    return DIED.format(signal=signal, frames="\n".join(frames))


MINE = frame("/project/test_it.py", "test_it")
PARQUET = frame(f"{SITE}/pyarrow/parquet/core.py", "read")


def test_the_innermost_frame_of_a_death_is_named() -> None:
    text = death(PARQUET, MINE, signal="SIGSEGV")
    assert blamed(text) == ("pyarrow/parquet/core.py", ("read",))


def test_a_frame_further_out_is_no_evidence() -> None:
    assert blamed(death(MINE, PARQUET, signal="SIGSEGV")) == ("", ())


def test_packages_of_the_tests_are_not_deployed() -> None:
    path = SITE.replace("/env/", "/tests/") + "/_pytest/python.py"
    assert blamed(death(frame(path, "call"), signal="SIGSEGV")) == ("", ())


def test_an_illegal_instruction_is_of_the_loaded_library_that_has_some() -> None:
    assert blamed(death(MINE), SIMSIMD, USEARCH) == (
        "simsimd.cpython-311-aarch64-linux-gnu.so",
        ("dot", "cos"),
    )


def test_two_loaded_libraries_that_have_some_leave_it_open() -> None:
    text = death(MINE).replace("simsimd,", "simsimd, usearch.compiled,")
    assert blamed(text, SIMSIMD, USEARCH) == ("", ())


def test_a_library_that_was_not_loaded_is_not_blamed() -> None:
    assert blamed(death(MINE), USEARCH) == ("", ())


def test_another_signal_is_not_one_of_instructions() -> None:
    assert blamed(death(MINE, signal="SIGSEGV"), SIMSIMD) == ("", ())


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (f"{SITE}/vosk/__init__.py:12: in open_dll", ("vosk/__init__.py", ("open_dll",))),
        (f"{SITE}/soundfile.py:192: OSError", ("soundfile.py", ())),
        ("test_it.py:3: AssertionError", ("", ())),
        ("/project/test_it.py:3: AssertionError", ("", ())),
    ],
)
def test_an_error_is_of_the_last_place_of_its_traceback(
    last: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    text = f"{SITE}/first.py:1: in call\nE   text\n{last}\nE   OSError: libsndfile.so"
    assert blamed(text, died=False) == expected


def test_what_passed_has_none() -> None:
    assert blamed(f"{SITE}/a.py:1: in f", died=False, outcome="xfailed") == ("", ())


@given(st.text(max_size=300), st.booleans())
def test_any_text_of_a_test_is_read(text: str, died: bool) -> None:
    library, functions = blamed(text, SIMSIMD, died=died)
    assert isinstance(library, str)
    assert isinstance(functions, tuple)
