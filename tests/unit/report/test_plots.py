"""A picture is drawn from native times of both sides alone, and shows what was measured."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.decide.evidence import ServiceEvidence
from pytest_arm64.inside.measure.record import Measured, Record
from pytest_arm64.inside.ran import Ran
from pytest_arm64.report.document import Report
from pytest_arm64.report.page import html_page
from pytest_arm64.report.plots import HEIGHT, WIDTH, plots
from unit.decide import made
from unit.report.made_reports import ARM, EMULATED, EVIL, MADE_AT, X86

SIZES = (16, 64, 512)


def timed(where: Ran, number: int | str, *wall: float, **how: str) -> Measured:
    record = Record("predict", "call", wall, **how)  # type: ignore[arg-type]
    return Measured(f"tests/test_svm.py::test_it[{number}]", where, (record,))


def service(*measured: Measured) -> ServiceEvidence:
    return replace(made.service(), measured=measured)


def both(first: Ran = X86, second: Ran = ARM) -> ServiceEvidence:
    sides = ((first, 0.001), (second, 0.002))
    return service(*(timed(w, n, *[s * n] * 5) for w, s in sides for n in SIZES))


def test_two_native_reports_are_two_lines_over_the_same_numbers() -> None:
    (plot,) = plots(both())
    assert plot.title == "tests/test_svm.py::test_it: predict"
    assert [line.architecture for line in plot.lines] == ["x86_64", "arm64"]
    assert [mark.text for mark in plot.across] == ["16", "64", "512"]
    x86, arm = plot.lines
    assert [dot.x for dot in x86.dots] == [dot.x for dot in arm.dots] == [m.at for m in plot.across]
    # ARM takes twice as long here, so its line rises twice as far from the bottom.
    bottom = plot.up[0].at
    for first, second in zip(x86.dots, arm.dots, strict=True):
        assert bottom - second.y == pytest.approx(2 * (bottom - first.y))


def test_emulated_times_are_never_drawn() -> None:
    assert not list(plots(both(X86, EMULATED)))
    assert not list(plots(both(EMULATED, EMULATED)))


@pytest.mark.parametrize(
    "measured",
    [
        [timed(X86, n, 0.1) for n in SIZES],
        [timed(w, n, 0.1) for w in (X86, ARM) for n in SIZES[:2]],
        [timed(w, f"n{n}", 0.1) for w in (X86, ARM) for n in SIZES],
        [timed(w, n, 0.1, disturbed="coverage") for w in (X86, ARM) for n in SIZES],
        [*(timed(X86, n, 0.1) for n in (1, 2, 3)), *(timed(ARM, n, 0.1) for n in (3, 4, 5))],
    ],
    ids=["one side", "two numbers", "no numbers", "disturbed", "other numbers"],
)
def test_what_cannot_be_compared_is_no_picture(measured: list[Measured]) -> None:
    assert not list(plots(service(*measured)))


@given(
    st.dictionaries(
        st.integers(0, 10**9 - 1),
        st.lists(st.floats(0, 1e8), min_size=1, max_size=5),
        min_size=3,
        max_size=6,
    )
)
def test_everything_that_is_drawn_is_in_the_picture(times: dict[int, list[float]]) -> None:
    measured = [timed(w, n, *wall) for w in (X86, ARM) for n, wall in times.items()]
    (plot,) = plots(service(*measured))
    for line in plot.lines:
        for dot in line.dots:
            assert 0 <= dot.x <= WIDTH
            assert 0 <= dot.high <= dot.y <= dot.low <= HEIGHT
    heights = [mark.at for mark in plot.up]
    assert heights == sorted(heights, reverse=True)
    assert 2 <= len(heights) <= 12


def test_the_page_has_the_picture_and_no_name_in_it_is_markup() -> None:
    evil = replace(both(), measured=tuple(replace(m, test=EVIL + m.test) for m in both().measured))
    for shown in (both(), evil):
        page = html_page(Report(made.TARGET, MADE_AT, (shown,)))
        (svg,) = re.findall("<svg .*?</svg>", page, re.DOTALL)
        picture = ElementTree.fromstring(svg.replace("\x1b", ""))
        assert len(picture.findall("g/polyline")) == 2
        assert len(picture.findall("g/circle")) == 2 * len(SIZES)
        assert "16: 16 ms (16 ms to 16 ms)" in svg
