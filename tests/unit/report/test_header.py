"""The header: what was asked, what ran, and never more than was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.record import AbiFinding, AbiRecord, CompiledFile
from pytest_arm64.environment.build import Environment, User
from pytest_arm64.environment.record import Installed, InstallRecord
from pytest_arm64.report.header import abi_lines, header_lines, plugin_lines
from unit.support import CELL, ran

if TYPE_CHECKING:
    from pytest_arm64.config.cell import ImageFacts


def package(scope: str, state: str) -> Installed:
    return Installed("x", "1", scope, state, "", "", "", requested=False)


PACKAGES = (
    package("deploy", "wheel"),
    package("deploy", "pure"),
    package("deploy", "pure"),
    package("test", "source"),
)


NOTHING_COMPILED = AbiRecord("x", "image x", "aarch64", looked_up=True, files=(), findings=())


def lines(
    facts: ImageFacts | None = None,
    *,
    reused: bool = False,
    made_at: str = "2026-01-01T00:00:00+00:00",
    packages: tuple[Installed, ...] = PACKAGES,
    mounted: bool = True,
    abi: AbiRecord = NOTHING_COMPILED,
) -> list[str]:
    environment = Environment(
        key="k" * 20,
        image="pytest-arm64/run:1",
        ran=facts or ran(),
        record=InstallRecord(packages, "pip 26.3", made_at, 41.6),
        abi=abi,
        reused=reused,
        user=User(1, 1, "me", "/home/me"),
    )
    return header_lines(CELL, environment, mounted=mounted)


def test_every_line_is_ours() -> None:
    assert all(line.startswith("arm64: ") for line in lines(mounted=False))


def test_as_asked() -> None:
    found = lines()
    assert found[0] == "arm64: target al2023-python3.12, Python 3.12.4, glibc 2.34"
    assert found[1] == "arm64: image amazonlinux:2023, digest sha256:222222222222"
    assert found[2] == "arm64: aarch64 EMULATED on x86_64, core graviton2 (qemu neoverse-n1)"
    assert found[3] == (
        f"arm64: environment {'k' * 20}, built in 42 s with pip 26.3: "
        "2 pure + 1 wheel deployed; 1 source for the tests"
    )
    assert len(found) == 4


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"engine_machine": "aarch64", "core": "Neoverse N1"}, "aarch64 native, core Neoverse N1"),
        ({"glibc": ""}, "no glibc (musl)"),
        ({"digest": ""}, "built here, id sha256:111111111111"),
        ({"python_minor": "3.13"}, "differs from the target: Python 3.13, not 3.12"),
        (
            {"os": "debian 12", "os_name": "Debian 12", "glibc": "2.36"},
            "STAND-IN, results do not apply to al2023-python3.12: "
            "Debian 12, not amzn 2023; glibc 2.36, not 2.34",
        ),
    ],
)
def test_otherwise(changes: dict[str, Any], part: str) -> None:
    assert any(part in line for line in lines(ran(**changes)))


def test_a_stand_in_is_told_once() -> None:
    found = lines(ran(os="debian 12", os_name="Debian 12"))
    assert sum("Debian 12" in line for line in found) == 1


def test_native_is_never_called_emulated() -> None:
    assert not any("EMULATED" in line for line in lines(ran(engine_machine="aarch64")))


def test_copy_is_told() -> None:
    assert any("run on a copy" in line for line in lines(mounted=False))
    assert not any("copy" in line for line in lines(mounted=True))


def test_no_packages() -> None:
    assert "no packages deployed; no packages for the tests" in lines(packages=())[3]


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=5), "less than a minute"),
        (timedelta(seconds=-50), "less than a minute"),
        (timedelta(minutes=1, seconds=5), "1 minute"),
        (timedelta(minutes=2, seconds=5), "2 minutes"),
        (timedelta(minutes=59, seconds=5), "59 minutes"),
        (timedelta(hours=1, seconds=5), "1 hour"),
        (timedelta(hours=23, seconds=5), "23 hours"),
        (timedelta(days=1, seconds=5), "1 day"),
        (timedelta(days=400, seconds=5), "400 days"),
    ],
)
def test_age(age: timedelta, words: str) -> None:
    made_at = (datetime.now(timezone.utc) - age).isoformat()
    found = lines(reused=True, made_at=made_at)[3]
    assert f"reused, nothing installed (built {words} ago: 2 pure" in found


@given(st.text(max_size=20) | st.datetimes().map(datetime.isoformat))
def test_any_date_of_a_record(made_at: str) -> None:
    """A record without a time zone or without a date is no reason to end a session."""
    assert " ago: " in lines(reused=True, made_at=made_at)[3]


def test_compiled_files_that_load_and_that_do_not() -> None:
    files = (
        CompiledFile("a/x.so", "aarch64", "library"),
        CompiledFile("b/y.so", "aarch64", "library"),
    )
    fine = replace(NOTHING_COMPILED, files=files)
    assert "arm64: 2 compiled files, all can be loaded" in lines(abi=fine)
    finding = AbiFinding(
        "a/\x1bx.so", "missing-system-library", "libGL.so.1 is not there", grave=True
    )
    note = replace(finding, path="b/y.so", grave=False)
    found = lines(abi=replace(fine, findings=(replace(finding, remedy="dnf it"), note)))
    assert found[-3:] == [
        "arm64: 2 compiled files, 1 of them CANNOT BE LOADED:",
        "arm64:   missing-system-library: a/?x.so: libGL.so.1 is not there",
        "arm64:     → dnf it",
    ]


@pytest.mark.parametrize(
    ("here", "inside", "lines"),
    [
        ([], [], []),
        (["a-1", "pytest-arm64-0.1", "platformdirs-4"], ["a-1"], []),
        (["a-1"], ["a-2"], ["arm64: plugins only inside: a-2; only here: a-1"]),
        (["b-1", "a-1"], [], ["arm64: plugins only here: a-1, b-1"]),
        ([], ["\x1b[31m-1"], ["arm64: plugins only inside: ?[31m-1"]),
    ],
)
def test_plugins_are_told_where_they_differ(
    here: list[str], inside: list[str], lines: list[str]
) -> None:
    assert plugin_lines(here, inside) == lines


def test_files_for_another_machine_that_do_no_harm_are_not_counted_as_loaded() -> None:
    own = CompiledFile("a/linux-arm64/tool", "aarch64", "executable")
    other = CompiledFile("a/linux64/tool", "x86_64", "executable")
    note = AbiFinding(other.path, "wrong-architecture", "it is for x86_64", grave=False)
    record = AbiRecord("a", "b", "aarch64", True, (own, other), (note,))
    assert abi_lines(record) == ["arm64: 1 compiled file, all can be loaded"]
    assert abi_lines(replace(record, files=(other,))) == []
    grave = replace(record, findings=(replace(note, grave=True),))
    assert "2 compiled files, 1 of them CANNOT BE LOADED" in abi_lines(grave)[0]


def test_what_was_cross_compiled_is_named_with_its_compiler() -> None:
    packages = (*PACKAGES, replace(package("deploy", "source"), name="lxml", cross="gcc 12.2.0"))
    assert "arm64: cross-compiled by gcc 12.2.0: lxml 1" in lines(packages=packages)
    assert not any("cross" in line for line in lines())
