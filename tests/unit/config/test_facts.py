"""Facts of platforms: complete, with their sources, and enough for every manylinux wheel."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from pytest_arm64.binary.declared import Declared, numbers
from pytest_arm64.config.facts import Facts, shipped_facts
from pytest_arm64.config.targets import Target, shipped_targets

POLICIES = json.loads(
    Path(__file__).parents[2].joinpath("data", "manylinux-aarch64.json").read_text("utf-8")
)
FACTS = shipped_facts()
SHIPPED = pytest.mark.parametrize("facts", FACTS.values(), ids=list(FACTS))
TARGETS = sorted(shipped_targets().values(), key=lambda target: target.name)
ON = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


def declared(target: Target) -> Declared:
    return Declared(target.glibc, target.facts)


@SHIPPED
def test_facts_have_their_sources_and_a_date(facts: Facts) -> None:
    assert facts.release
    assert facts.sources
    if facts.read is not None:
        assert date(2026, 11, 30) <= facts.read
        assert facts.age(date(2026, 12, 30)) == (date(2026, 12, 30) - facts.read).days


@SHIPPED
def test_a_source_that_was_not_opened_leaves_the_day_out(facts: Facts) -> None:
    assert any("(not opened)" in source for source in facts.sources) == (facts.read is None)


@SHIPPED
def test_nothing_is_both_there_and_missing(facts: Facts) -> None:
    assert set(facts.has) & set(facts.lacks) == set()
    assert all(re.fullmatch(r"lib[\w+.-]+\.so(\.[\d.]+)?", name) for name in facts.has)
    assert all(re.fullmatch(r"lib[\w+.-]+\.so(\.[\d.]+)?", name) for name in facts.lacks)


@SHIPPED
def test_older_images_have_less(facts: Facts) -> None:
    newest = dict(facts.symbols)
    assert all(numbers(version) < numbers(newest[prefix]) for prefix, version in facts.older)
    assert bool(facts.older) == bool(facts.since)


@ON
def test_glibc_is_that_of_the_target(target: Target) -> None:
    assert dict(target.facts.symbols)["GLIBC"] == target.glibc


@ON
def test_each_library_that_a_wheel_may_leave_outside_is_declared(target: Target) -> None:
    """auditwheel's policies allow them; no wheel that keeps one must end as not evaluated."""
    assert len(POLICIES["libraries"]) == 24
    has = declared(target).has
    assert [name for name in POLICIES["libraries"] if has(name) is None] == []


@ON
def test_each_version_of_the_platforms_own_policy_is_there(target: Target) -> None:
    own = POLICIES["versions"][target.glibc]
    versions = [f"{prefix}_{n}" for prefix, all_ in own.items() for n in all_]
    # libatomic is missing, or its versions are not declared; 2.18 is in a policy for glibc 2.17
    # for one function, which wheels must not use.
    left_out = ("LIBATOMIC_", *(["GLIBC_2.18"] if target.glibc == "2.17" else []))
    there = [v for v in versions if not v.startswith(left_out)]
    assert [v for v in there if declared(target).provides(v) is not True] == []


@ON
def test_each_version_of_any_policy_is_answered(target: Target) -> None:
    for versions in POLICIES["versions"].values():
        for prefix in versions.keys() - {"LIBATOMIC"}:
            for number in versions[prefix]:
                assert declared(target).provides(f"{prefix}_{number}") is not None


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("libatomic.so.1", {"manylinux_2_28-python3.12"}),
        ("libcrypt.so.1", {"lambda-python3.11", "debian12-python3.12", "ubuntu24.04-python3.12"}),
        ("libcrypt.so.2", {"al2023-python3.12", "lambda-python3.12"}),
        ("libmagic.so.1", {"al2023-python3.12", "lambda-python3.12", "lambda-python3.11"}),
        (
            "libexpat.so.1",
            {
                *("al2023-python3.12", "lambda-python3.11"),
                *("ubuntu24.04-python3.12", "manylinux_2_28-python3.12"),
            },
        ),
        ("libgomp.so.1", {"al2023-python3.12"}),
        ("libmvec.so.1", {"ubuntu24.04-python3.12", "manylinux_2_28-python3.12"}),
        (
            "libssl.so.3",
            {
                *("al2023-python3.12", "lambda-python3.12"),
                *("debian12-python3.12", "ubuntu24.04-python3.12"),
            },
        ),
        ("libssl.so.10", {"lambda-python3.11"}),
        ("libc.musl-aarch64.so.1", set()),
        ("ld-musl-aarch64.so.1", set()),
    ],
)
def test_where_a_library_is(library: str, places: set[str]) -> None:
    asked = [f"{kind}-python3.12" for kind in ("al2023", "lambda", "lambda-zip")]
    asked += ["lambda-python3.11", "lambda-zip-python3.11"]
    asked += [f"{kind}-python3.12" for kind in ("debian12", "ubuntu24.04", "manylinux_2_28")]
    targets = shipped_targets()
    assert {name for name in asked if declared(targets[name]).has(library)} == places


@pytest.mark.parametrize(("release", "there"), [("12", True), ("13", False)])
def test_slim_images_have_com_err_until_debian_12(release: str, *, there: bool) -> None:
    """Debian 13 no longer has e2fsprogs in each image, nor does libc6-dev need Kerberos."""
    for minor in ("3.10", "3.14"):
        target = shipped_targets()[f"debian{release}-python{minor}"]
        assert declared(target).has("libcom_err.so.2") is there


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("al2023-python3.12", date(2029, 6, 30)),
        ("lambda-python3.10", date(2026, 10, 31)),
        ("lambda-zip-python3.10", date(2026, 10, 31)),
        ("lambda-python3.11", date(2027, 6, 30)),
        ("lambda-zip-python3.12", date(2028, 10, 31)),
        ("lambda-python3.14", date(2029, 6, 30)),
        ("debian12-python3.12", date(2028, 6, 30)),
        ("ubuntu22.04-python3.10", date(2027, 6, 1)),
        ("ubuntu24.04-python3.12", date(2029, 5, 31)),
        ("manylinux_2_28-python3.12", None),
    ],
)
def test_support_ends_with_the_platform_or_its_python(name: str, end: date | None) -> None:
    assert shipped_targets()[name].facts.supported_until == end


@pytest.mark.parametrize(
    ("version", "since"),
    [
        ("GLIBC_2.34", ""),
        ("GLIBCXX_3.4.29", ""),
        ("GLIBCXX_3.4.30", "AL2023 ≥ 2023.7.20250331"),
        ("CXXABI_1.3.15", "AL2023 ≥ 2023.7.20250331"),
        ("GCC_14.0.0", "AL2023 ≥ 2023.7.20250331"),
        ("OPENSSL_3.0.8", ""),
        ("OPENSSL_3.2.0", "AL2023 ≥ 2023.11.20260413"),
        ("OPENSSL_3.5.0", "AL2023 ≥ 2023.11.20260413"),
        ("GLIBCXX_3.4.99", ""),
        ("UNHEARD_1.0", ""),
    ],
)
def test_since_when_a_version_is_there(version: str, since: str) -> None:
    assert declared(shipped_targets()["al2023-python3.12"]).since(version) == since


@pytest.mark.parametrize("version", ["", "_", "GLIBC", "GLIBC_", "GLIBC_x", "GLIBC_2..3", "ß_1"])
def test_what_is_no_version_is_not_known(version: str) -> None:
    assert Declared("2.34", FACTS["al2023"]).provides(version) is None


def test_a_policy_promises_what_it_names_and_nothing_else() -> None:
    policy = declared(shipped_targets()["manylinux_2_28-python3.12"])
    assert [policy.has(name) for name in ("libc.so.6", "libstdc++.so.6", "libGL.so.1")] == [
        True
    ] * 3
    assert [policy.has(name) for name in ("libunheard.so.1", "libssl.so.3")] == [False] * 2
    assert declared(shipped_targets()["al2023-python3.12"]).has("libunheard.so.1") is None


def test_without_facts_nothing_is_assumed() -> None:
    nothing = Declared("")
    assert nothing.has("libc.so.6") is None
    assert nothing.has("libc.musl-aarch64.so.1") is None
    assert nothing.provides("GLIBC_2.17") is None
    assert nothing.since("GLIBC_2.17") == ""
    assert Facts().age(date(2026, 1, 1)) == 0
    assert Facts().unpacked_limit == 0
