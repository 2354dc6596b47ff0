"""Which releases are affected, by OSV's rules and PEP 440's order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from pytest_arm64.advisories.ranges import Affected, Interval
from unit.advisories.made_advisories import advisory

FIXED = [{"introduced": "2.0"}, {"fixed": "3.0"}]
LAST = [{"introduced": "2.0"}, {"last_affected": "2.4"}]
TWICE = [*FIXED, {"introduced": "4.0"}, {"fixed": "4.2"}]


@pytest.mark.parametrize(
    ("events", "version", "affected"),
    [
        (FIXED, "1.9", False),
        (FIXED, "2.0", True),
        (FIXED, "2.0rc1", False),
        (FIXED, "3.0", False),
        (FIXED, "3.0rc1", True),
        (FIXED, "3.0.dev1", True),
        (FIXED, "2.9.post1", True),
        (FIXED, "2.0+cpu", True),
        (FIXED, "3.0+cpu", False),
        (FIXED, "1!2.5", False),
        (LAST, "2.4", True),
        (LAST, "2.4+cu128", True),
        (LAST, "2.4.0", True),
        (LAST, "2.4.1", False),
        ([{"introduced": "0"}], "0.0.1", True),
        ([{"introduced": "0"}], "0.1.dev1", True),
        (TWICE, "3.5", False),
        (TWICE, "4.1", True),
        (TWICE, "4.2", False),
        (list(reversed(TWICE)), "4.1", True),
    ],
)
def test_a_release_is_affected(
    events: list[dict[str, str]], version: str, *, affected: bool
) -> None:
    (item,) = advisory(events=events).affected
    assert (Version(version) in item) is affected


def test_single_releases_are_affected_with_their_local_versions() -> None:
    (item,) = advisory(versions=["2.0", "2.10"]).affected
    found = [v for v in ("2.0", "2.0.0", "2.0+cpu", "2.1", "2.10") if Version(v) in item]
    assert found == ["2.0", "2.0.0", "2.0+cpu", "2.10"]
    assert str(item) == "==2.0 or ==2.10"


def test_the_first_release_outside_is_after_the_release() -> None:
    (item,) = advisory(events=TWICE).affected
    assert item.fixed_after(Version("2.5")) == Version("3.0")
    assert item.fixed_after(Version("4.0")) == Version("4.2")
    assert item.fixed_after(Version("4.2")) is None


versions = st.builds(
    lambda release, rest: Version(".".join(map(str, release)) + rest),
    st.lists(st.integers(0, 4), min_size=1, max_size=3),
    st.sampled_from(["", "rc1", ".dev2", ".post1", "+cpu"]),
)


@given(st.lists(versions, min_size=2, max_size=6, unique=True), versions)
def test_a_fix_is_never_affected_and_every_start_is(bounds: list[Version], other: Version) -> None:
    bounds = sorted({Version(bound.public) for bound in bounds})
    pairs = zip(bounds[::2], bounds[1::2], strict=False)
    item = Affected("zed", tuple(Interval(start, end) for start, end in pairs))
    for interval in item.intervals:
        assert interval.introduced in item
        assert interval.fixed is not None
        assert interval.fixed not in item
    fix = item.fixed_after(other)
    if fix is not None:
        assert fix > other
        assert fix not in item
    public = Version(other.public)
    assert (other in item) == any(
        start <= public < end for start, end in zip(bounds[::2], bounds[1::2], strict=False)
    )
