"""What keeps compiled files from loading on x86 as well is no finding about ARM64."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_arm64.binary.record import (
    DIED,
    FAILED,
    MISSING_LIBRARY,
    NOT_TRIED,
    RAISED,
    AbiFinding,
    AbiRecord,
    CompiledFile,
    Load,
)
from pytest_arm64.binary.same_on_x86 import without_common

ARM, X86 = "m/_tk.cpython-312-aarch64-linux-gnu.so", "m/_tk.cpython-312-x86_64-linux-gnu.so"
NO_TK = "libtk8.6.so is nowhere in the image"
FINDING = AbiFinding(ARM, MISSING_LIBRARY, NO_TK, True, "matplotlib", "libtk8.6.so")
LOAD = Load("m._tk", ARM, FAILED, "ImportError: libtk8.6.so: cannot open", MISSING_LIBRARY, "tk")


def record(machine: str, finding: AbiFinding | None, load: Load | None) -> AbiRecord:
    path = ARM if machine == "aarch64" else X86
    files = (CompiledFile(path, machine, "library", "matplotlib"),)
    findings = (replace(finding, path=path),) if finding is not None else ()
    loads = (replace(load, path=path),) if load is not None else ()
    return AbiRecord("environment", "amzn 2023", machine, True, files, findings, loads)


def test_the_same_library_that_is_missing_is_no_finding() -> None:
    arm, x86 = record("aarch64", FINDING, LOAD), record("x86_64", FINDING, LOAD)
    assert arm.loadable is False
    common = without_common(arm, x86)
    assert common.loadable is True
    assert common.findings[0].text == f"{NO_TK}; the same on x86"
    assert common.loads[0].outcome == RAISED


def test_an_error_that_names_the_machine_or_an_address_is_the_same() -> None:
    text = "OSError: /env/m/_tk.cpython-312-{}-linux-gnu.so: bad at 0x{}"
    arm = record("aarch64", None, replace(LOAD, text=text.format("aarch64", "ffff1")))
    x86 = record("x86_64", None, replace(LOAD, text=text.format("x86_64", "7f22")))
    assert without_common(arm, x86).loadable is True


@pytest.mark.parametrize(
    ("finding", "load"),
    [
        (None, None),
        (replace(FINDING, library="libother.so"), LOAD),
        (replace(FINDING, grave=False), LOAD),
        (replace(FINDING, package="other"), LOAD),
        (FINDING, replace(LOAD, text="ImportError: something else")),
        (FINDING, replace(LOAD, outcome=DIED)),
        (FINDING, replace(LOAD, outcome=RAISED)),
    ],
)
def test_what_x86_does_otherwise_stays_a_finding(
    finding: AbiFinding | None, load: Load | None
) -> None:
    arm = record("aarch64", FINDING, LOAD)
    assert without_common(arm, record("x86_64", finding, load)).loadable is False


def test_what_was_not_tried_on_either_is_not_the_same() -> None:
    load = replace(LOAD, outcome=NOT_TRIED, text="10 modules have killed their process")
    arm = record("aarch64", None, load)
    assert without_common(arm, record("x86_64", None, load)).loadable is False


def test_a_module_that_kills_its_process_on_both_is_the_same() -> None:
    died = replace(LOAD, outcome=DIED, text="its process died: killed by SIGSEGV")
    arm = record("aarch64", None, died)
    assert without_common(arm, record("x86_64", None, died)).loadable is True
