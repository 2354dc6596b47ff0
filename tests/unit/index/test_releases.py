"""Releases: the order of PEP 440 without its objects, files only when they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from pytest_arm64.index.releases import Releases, merged, order
from pytest_arm64.index.simple import listing_of

pytestmark = pytest.mark.usefixtures("index_alone")

numbers = st.integers(0, 12)


@st.composite
def versions(draw: st.DrawFn) -> str:
    text = ".".join(map(str, draw(st.lists(numbers, min_size=1, max_size=4))))
    if draw(st.booleans()):
        return text
    epoch = draw(st.sampled_from(["", "", "1!"]))
    pre = draw(st.sampled_from(["", "a1", "b2", "rc1", ".alpha3"]))
    post = draw(st.sampled_from(["", ".post0", ".post2"]))
    dev = draw(st.sampled_from(["", ".dev0", ".dev3"]))
    local = draw(st.sampled_from(["", "+cpu", "+1", "+1.a", "+a.1"]))
    return f"{epoch}{text}{pre}{post}{dev}{local}"


@given(versions(), versions())
@example("1.0", "1")
@example("0.0", "0")
@example("1.0.dev1", "1.0a1.dev1")
def test_versions_are_ordered_as_they_should(one: str, other: str) -> None:
    here, there = order(one), order(other)
    assert here is not None
    assert there is not None
    assert (here < there) is (Version(one) < Version(other))
    assert (here == there) is (Version(one) == Version(other))


@given(st.text(max_size=12))
@example("9" * 5000)
def test_what_is_no_version_has_no_place(text: str) -> None:
    try:
        known = Version(text) is not None and len(text) < 256
    except ValueError:
        known = False
    assert (order(text) is not None) is known


@given(st.lists(versions(), max_size=8))
def test_releases_are_what_pages_list(found: list[str]) -> None:
    names = dict.fromkeys(f"zed-{text}-py3-none-any.whl" for text in found)
    releases = Releases("zed", [listing_of("zed", [{"filename": n, "url": n} for n in names])])
    assert list(releases) == sorted({Version(text) for text in found}, reverse=True)
    assert list(reversed(releases)) == list(releases)[::-1]
    for text in found:
        assert f"zed-{text}-py3-none-any.whl" in [f.name for f in releases[Version(text)]]
        public = Version(text).public
        same = [v for v in releases if v.public == public or Version(v.public) == Version(public)]
        assert releases.like(Version(text)) == same


def test_a_local_file_goes_before_the_same_of_an_index() -> None:
    name = "zed-1.0-py3-none-any.whl"
    far, near = ([name, f"{where}/{name}", "", False, "", "", 0] for where in ("https:", "file:"))
    other = ["zed-1.0.tar.gz", "https://h/zed-1.0.tar.gz", "", False, "", "", 0]
    listing = merged([{"1.0": [far, other]}, {}, {"1.0": [near]}])
    assert listing == {"1.0": [near, other]}
