"""Whatever a name or a text says, Markdown of it has no markup, mentions nobody, links nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from pytest_arm64.audit.matrix import Row, WheelMatrix
from pytest_arm64.report.document import Report
from pytest_arm64.report.markdown import report_markdown
from pytest_arm64.report.matrix_output import markdown
from unit.decide import made

HOSTILE = (
    "@team #1 !2 GH-3",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "[x](https://evil.example)",
    "a | b\n| c | d |\n# heading",
    "`code` **bold** _under_",
)
MARKUP = re.compile(
    r"(?<!\w)@\w|(?<![\w\\&])#\d|!\d|GH-\d|(?<!\\)<(?!br>)\w|(?<!\\)\]\(|(?m:^# )|(?m:^\| c)"
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
