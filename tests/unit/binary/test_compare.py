"""Files against two systems: each finding names those on which it holds."""

from __future__ import annotations

import json

import pytest

from pytest_arm64.binary.compare import beside, without, without_missing
from pytest_arm64.binary.record import (
    ABI_MISMATCH,
    EXECUTABLE,
    MISSING_LIBRARY,
    UNKNOWN,
    AbiFinding,
    AbiRecord,
)

RAN, ASKED = "image of Debian", "declared data of al2023-python3.12"


def finding(kind: str, library: str = "", version: str = "", package: str = "") -> AbiFinding:
    grave = kind in (ABI_MISMATCH, MISSING_LIBRARY)
    return AbiFinding("a/ext.so", kind, "text", grave, package, library, version)


def record(against: str, *findings: AbiFinding) -> AbiRecord:
    return AbiRecord("a", against, "aarch64", against == RAN, (), findings)


TOO_NEW = finding(ABI_MISMATCH, "libc.so.6", "GLIBC_2.36", "some_pkg-1.0")
NO_GL = finding(MISSING_LIBRARY, "libGL.so.1")
NO_GOMP = finding(MISSING_LIBRARY, "libgomp.so.1")
PROGRAM = finding(EXECUTABLE)
OPEN = finding(UNKNOWN, "libodd.so.1")


def test_each_finding_names_its_systems() -> None:
    found = beside(
        record(RAN, NO_GOMP, NO_GL, PROGRAM), record(ASKED, NO_GL, TOO_NEW, PROGRAM), decisive=True
    )
    assert [(f.library, f.against, f.grave) for f in found.findings] == [
        ("libgomp.so.1", (RAN,), True),
        ("libGL.so.1", (RAN, ASKED), True),
        ("", (RAN, ASKED), False),
        ("libc.so.6", (ASKED,), True),
    ]
    assert (found.against, found.beside) == (RAN, ASKED)
    assert [f.told for f in found.findings] == [
        f"text (only for {RAN})",
        "text",
        "text",
        f"text (only for {ASKED})",
    ]
    assert AbiRecord.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_libraries_that_the_settings_install_are_not_missing_on_the_target() -> None:
    compared = beside(record(RAN, NO_GOMP), record(ASKED, NO_GL, OPEN, TOO_NEW), decisive=True)
    left = without_missing(compared, {"libGL.so.1", "libodd.so.1", "libgomp.so.1", "libc.so.6"})
    # What is missing where the tests ran is missing, and a library that is too old is none.
    assert [f.library for f in left.findings] == ["libgomp.so.1", "libc.so.6"]
    assert without_missing(compared, ()) == compared


def test_what_loads_on_the_image_and_not_on_the_target_does_not_load() -> None:
    assert record(RAN).loadable is True
    assert beside(record(RAN), record(ASKED, TOO_NEW), decisive=True).loadable is False


def test_what_the_target_does_not_tell_leaves_the_question_open() -> None:
    assert beside(record(RAN), record(ASKED, OPEN), decisive=True).loadable is None


@pytest.mark.parametrize("image", [(NO_GOMP,), (NO_GOMP, OPEN), (OPEN,), ()])
def test_an_image_beside_a_target_adds_notes_only(image: tuple[AbiFinding, ...]) -> None:
    found = beside(record(ASKED), record(RAN, *image), decisive=False)
    assert found.loadable is True
    assert [f.library for f in found.findings] == ["libgomp.so.1"] * (NO_GOMP in image)


def test_what_was_built_here_is_not_judged_by_the_target() -> None:
    found = beside(record(RAN, TOO_NEW), record(ASKED, TOO_NEW), decisive=True)
    assert without(found, {"some-pkg"}) == found  # it does not load here either
    found = beside(record(RAN), record(ASKED, TOO_NEW, NO_GL), decisive=True)
    assert without(found, {"some-pkg"}).findings == found.findings[1:]
    assert without(found, {"another"}) == found
    assert without(record(RAN, TOO_NEW), {"some-pkg"}).findings == (TOO_NEW,)
