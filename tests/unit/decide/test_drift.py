"""What became worse between two matrices."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.audit.matrix import STATES, Remedy, Row, WeightFinding, WheelMatrix
from pytest_arm64.decide.drift import Drift, counted, drift

MIB = 1 << 20
ROW = Row("zed", "1.0", "wheel", ("uv.lock:7", "zed 1.0"), unpacked=10 * MIB)


def worse(before: Row | None, after: Row, *allowed: str, **how: object) -> Drift:
    old = WheelMatrix("api", "t", (before,) if before is not None else ())
    new = WheelMatrix("api", "t", (after,), manifest="uv.lock", **how)  # type: ignore[arg-type]
    return drift(old, new, "main.lock", allowed)


@pytest.mark.parametrize(
    ("before", "after", "kind", "code"),
    [
        ("wheel", "blocker", "lost-wheel", 1),
        ("source", "blocker", "lost-wheel", 1),
        (None, "blocker", "lost-wheel", 1),
        ("pure", "source", "began-to-compile", 1),
        (None, "source", "began-to-compile", 1),
        ("wheel", "unknown", "became-unknown", 3),
        ("blocker", "blocker", "", 0),
        ("source", "source", "", 0),
        ("blocker", "source", "", 0),
        ("unknown", "unknown", "", 0),
        ("blocker", "wheel", "", 0),
        ("wheel", "pure", "", 0),
        (None, "wheel", "", 0),
    ],
)
def test_a_worse_state_is_found_and_no_other(
    before: str | None, after: str, kind: str, code: int
) -> None:
    old = replace(ROW, state=before, unpacked=0) if before else None
    new = replace(ROW, version="2.0", state=after, unpacked=0, detail="why")
    found = worse(old, new)
    assert [w.kind for w in found.worse] == ([kind] if kind else [])
    assert found.exit_code == code
    if kind:
        (only,) = found.worse
        assert (only.name, only.version, only.before) == ("zed", "2.0", "1.0" if before else "")
        assert (only.text, only.place) == ("why", "uv.lock:7")


def test_its_fix_is_that_of_the_row() -> None:
    row = replace(ROW, state="blocker", remedy=Remedy("zed 3.0 has a usable wheel"))
    assert worse(ROW, row).worse[0].fix == "zed 3.0 has a usable wheel"


def test_an_allowance_tolerates_a_build_and_nothing_worse() -> None:
    (build,) = worse(ROW, replace(ROW, state="source"), "zed").worse
    assert build.allowed
    assert build.exit_code == 0
    (lost,) = worse(ROW, replace(ROW, state="blocker"), "zed").worse
    assert lost.exit_code == 1


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (10 * MIB, 12 * MIB, "10 MiB → 12 MiB unpacked"),
        (10 * MIB, 11 * MIB, "10 MiB → 11 MiB unpacked"),
        (100 * MIB, 105 * MIB, ""),
        (1000, 9000, ""),
        (10 * MIB, 5 * MIB, ""),
        (None, 12 * MIB, "12 MiB unpacked more: it was not deployed"),
        (0, 12 * MIB, ""),
    ],
)
def test_what_grew_by_much_is_listed_and_fails_nothing(
    before: int | None, after: int, text: str
) -> None:
    old = replace(ROW, unpacked=before) if before is not None else None
    found = worse(old, replace(ROW, unpacked=after))
    assert [(w.kind, w.text) for w in found.worse] == ([("heavier", text)] if text else [])
    assert found.exit_code == 0


def test_without_the_content_of_wheels_the_download_counts() -> None:
    old, new = replace(ROW, unpacked=0, size=2 * MIB), replace(ROW, unpacked=0, size=4 * MIB)
    assert worse(old, new).worse[0].text == "2.0 MiB → 4.0 MiB to download"


def test_what_is_new_about_the_whole_tree_fails() -> None:
    large = WeightFinding("too-large", "300 MiB, the target takes 250", "use an image", grave=True)
    found = worse(ROW, ROW, problems=("a demand cannot be met",), findings=(large,))
    assert [(w.kind, w.exit_code) for w in found.worse] == [
        ("became-too-large", 1),
        ("became-unknown", 3),
    ]
    assert found.exit_code == 3
    same = WheelMatrix("api", "t", (ROW,), problems=("x",), findings=(large,))
    assert drift(same, same, "main.lock").worse == ()


STATE = st.sampled_from(STATES)


@given(
    st.dictionaries(st.sampled_from("abc"), STATE), st.dictionaries(st.sampled_from("abc"), STATE)
)
def test_a_tree_beside_itself_is_no_worse_and_one_way_back_is_better(
    one: dict[str, str], other: dict[str, str]
) -> None:
    def matrix(states: dict[str, str]) -> WheelMatrix:
        return WheelMatrix("api", "t", tuple(Row(n, "1", s) for n, s in states.items()))

    assert drift(matrix(one), matrix(one), "f").worse == ()
    there, back = drift(matrix(one), matrix(other), "f"), drift(matrix(other), matrix(one), "f")
    shared = one.keys() & other.keys()
    known = {n for n in shared if "unknown" not in (one[n], other[n])}
    assert not ({w.name for w in there.worse} & {w.name for w in back.worse} & known)
    assert counted(there.worse) == "" or there.exit_code
