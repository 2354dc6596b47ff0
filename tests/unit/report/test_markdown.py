"""Whatever a name or a text says, Markdown of it has no markup, mentions nobody, links nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_arm64.audit.matrix import Remedy, Row, WheelMatrix
from pytest_arm64.report.document import Report
from pytest_arm64.report.markdown import report_markdown
from pytest_arm64.report.matrix_output import markdown
from unit.decide import made
from unit.report.made_reports import MADE_AT, ordinary, shown

HOSTILE = (
    "@team #1 !2 GH-3",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "[x](https://evil.example)",
    "a | b\n| c | d |\n# heading",
    "`code` **bold** _under_",
)
MARKUP = re.compile(
    r"(?<!\w)@\w|(?<![\w\\&])#\d|!\d|GH-\d|(?<!\\)<(?!br>|details>|summary>)\w"
    r"|(?<!\\)\]\(|(?m:^# )|(?m:^\| c)"
)


def report(text: str) -> Report:
    blocker = Row("shop", "1.0", "blocker", cause="not published", detail=text, path=(text, "x"))
    services = tuple(
        replace(made.service(blocker), name=f"{text}-{number}", problem=text) for number in (1, 2)
    )
    return Report(text, "2026-11-30T12:00:00+00:00", services, (text,), incomplete=text)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_is_markup_in_the_report(text: str) -> None:
    shown = report_markdown(report(text))
    assert len(shown) > 500
    assert MARKUP.findall(shown) == [], shown


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_it_is_markup_in_the_matrix(text: str) -> None:
    row = Row(text, text, "blocker", cause="not published", detail=text, path=(text, "x"))
    shown = markdown([WheelMatrix(text, text, (row,)), WheelMatrix("b", text, (row,), (text,))])
    assert MARKUP.findall(shown) == [], shown


def test_services_with_nothing_to_report_are_folded_and_others_are_not() -> None:
    green = [replace(made.service(), name=f"green-{number}") for number in (1, 2)]
    bad = replace(made.service(made.MOVABLE), name="bad")
    found = report_markdown(Report(made.TARGET, MADE_AT, (green[0], bad, green[1])))
    assert "**3 services: 2 ready, 1 needs a fix**" in found
    before, _, folded = found.partition(
        "<details><summary>2 services are compatible, with nothing to report</summary>\n\n"
    )
    assert "### bad: replace" in before
    assert "### green" not in before
    assert "### green-1: migrate" in folded
    assert "### green-2: migrate" in folded
    assert found.count("<details>") == found.count("</details>") == 2


@pytest.mark.parametrize("limit", [900, 1200, 1500, 2000])
def test_a_text_that_is_cut_closes_what_it_folded(limit: int) -> None:
    green = tuple(replace(made.service(), name=f"green-{number}") for number in range(20))
    found = report_markdown(Report(made.TARGET, MADE_AT, green), limit=limit)
    assert len(found.encode()) <= limit
    assert found.count("<details>") == found.count("</details>")
    assert found.endswith("The page and report.json have all of it.\n")


def test_the_address_of_a_known_replacement_is_whole() -> None:
    address = "https://www.psycopg.org/docs/install.html#psycopg-vs-psycopg-binary"
    row = replace(made.BLOCKER, remedy=Remedy(f"psycopg2-binary can replace it ({address})"))
    other = replace(
        made.BLOCKER, name="x", remedy=Remedy(f"see {address}x and https://e.example#1")
    )
    found = report_markdown(Report(made.TARGET, MADE_AT, (made.service(row, other),)))
    assert f"(<{address}>)" in found
    assert re.findall(r"<https[^>]*>", found).count(f"<{address}>") == found.count("<https")


SOURCES = "https://git.example/shop/api/blob/0123abc"


def test_lines_are_linked_where_the_address_of_the_sources_is_known() -> None:
    assert "](" not in report_markdown(ordinary())
    below = replace(made.service(made.MOVABLE), base="services/my api")
    found = report_markdown(Report(made.TARGET, MADE_AT, (below,)), sources=f"{SOURCES}/")
    assert f"[requirements.txt:2]({SOURCES}/services/my%20api/requirements.txt#L2)" in found


@pytest.mark.parametrize(
    "place", ["../../other/x.txt:1", "pyproject.toml", "", "services/../../x.txt:1"]
)
def test_a_place_without_a_line_of_the_repository_is_no_link(place: str) -> None:
    row = replace(made.MOVABLE, path=(place, "triton"))
    found = report_markdown(Report(made.TARGET, MADE_AT, (made.service(row),)), sources=SOURCES)
    assert SOURCES not in found


@pytest.mark.parametrize("text", [*HOSTILE, "a](https://evil.example):1", "@team/x.txt:1"])
def test_nothing_of_a_place_gets_out_of_its_link(text: str) -> None:
    row = replace(made.MOVABLE, path=(f"{text}:7", "triton"))
    found = report_markdown(Report(made.TARGET, MADE_AT, (made.service(row),)), sources=SOURCES)
    links = re.findall(r"(?<!\\)\]\(([^)]*)\)", found)
    assert links
    assert all(re.fullmatch(rf"{re.escape(SOURCES)}/[\w%./~-]+#L7", link) for link in links), links


def test_a_report_of_everything_can_be_linked() -> None:
    assert len(report_markdown(shown(), sources=SOURCES)) > 1000
