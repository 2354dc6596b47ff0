"""The report as one self-contained HTML page, which loads nothing and trusts no name in it."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from ..audit.matrix import STATES
from ..decide.questions import QUESTIONS
from .document import FORMAT, Report
from .view import STATE_TONES, cards, caveats, money, not_evaluated, tally

_CAPTIONS = {
    "golden": "reference, x86",
    "here": "result, here",
    "difference": "difference, amplified",
}


def html_page(report: Report) -> str:
    """The whole page.

    Names, causes and output come from packages and tests: all of it is escaped, and the page's
    own policy lets the browser run this script only and ask nobody for anything.
    """
    # The template engine is loaded where something is rendered, never in a test run.
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style, script = _resource("page.css"), _resource("page.js")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    shown = cards(report)
    return environment.from_string(_resource("page.html")).render(
        report=report,
        cards=shown,
        tally=list(tally(shown)),
        bounded=[card for card in shown if card.verdict.boundary is not None],
        caveats=list(caveats(report)),
        open=list(not_evaluated(report, shown)),
        questions=QUESTIONS,
        states=list(reversed(STATES)),
        tones=STATE_TONES,
        total=sum(len(card.rows) for card in shown),
        money=money,
        captions=_CAPTIONS,
        format=FORMAT,
        policy=(
            f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
            f"script-src {_hash(script)}"
        ),
        style=Markup(style),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704
    )


def _resource(name: str) -> str:
    return (resources.files("pytest_arm64.resources") / "report" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
