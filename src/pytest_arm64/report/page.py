"""The report as one self-contained HTML page, which loads nothing and trusts no name in it."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources

from ..audit.matrix import STATES
from ..decide.questions import QUESTIONS
from ..decide.verdict import VERDICTS
from .document import FORMAT, Report
from .known_links import known_links
from .overview import arithmetic, in_the_way, savings_range
from .plots import HEIGHT, WIDTH
from .savings import SavingsView
from .terms import TERMS, grade_tooltip, word_id
from .view import STATE_TONES, Card, RowView, cards, caveats, money, not_evaluated, tally

PRINTED_CHANGES = 12
"""Entries of "What to change first" on paper; page.css hides the rest there."""
_CAPTIONS = {
    "golden": "reference, x86",
    "here": "result, here",
    "difference": "difference, amplified",
}
_STATIC_ROWS = 200
"""Rows of a service that stand in the page itself; its script shows the others from their data."""


def html_page(
    report: Report, earlier: Report | None = None, planned: SavingsView | None = None
) -> str:
    """The whole page, with the headline of an *earlier* report and *planned* savings.

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
    divided = {card.id: _divided(card) for card in shown}
    return environment.from_string(_resource("page.html")).render(
        report=report,
        earlier=earlier,
        planned=planned,
        cards=shown,
        arithmetic=arithmetic(report.verdicts),
        in_the_way=in_the_way,
        savings=savings_range(
            (service, card.verdict, card.costs)
            for service, card in zip(report.services, shown, strict=True)
        ),
        tally=list(tally(shown)),
        bounded=[card for card in shown if card.verdict.boundary is not None],
        caveats=list(caveats(report)),
        open=list(not_evaluated(report, shown)),
        questions=QUESTIONS,
        verdicts=VERDICTS,
        states=list(reversed(STATES)),
        tones=STATE_TONES,
        terms=TERMS,
        word_id=word_id,
        tooltip=grade_tooltip,
        links=known_links,
        static={identity: static for identity, (static, _) in divided.items()},
        quiet={identity: len(quiet) for identity, (_, quiet) in divided.items()},
        printed=PRINTED_CHANGES,
        total=sum(len(card.rows) for card in shown),
        money=money,
        captions=_CAPTIONS,
        width=WIDTH,
        height=HEIGHT,
        format=FORMAT,
        policy=(
            f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
            f"script-src {_hash(script)}"
        ),
        style=Markup(style),  # noqa: S704  (our own file)
        script=Markup(script),  # noqa: S704
        rows=Markup(_rows_json({identity: quiet for identity, (_, quiet) in divided.items()})),  # noqa: S704  (no character in it is markup)
    )


def _divided(card: Card) -> tuple[list[RowView], list[RowView]]:
    """The rows that a reader looks for, and the rest: green, as predicted, and well."""
    static: list[RowView] = []
    quiet: list[RowView] = []
    for row in card.rows:
        telling = not row.green or row.differs or bool(row.row.advisories)
        (static if telling and len(static) < _STATIC_ROWS else quiet).append(row)
    return static, quiet


def _rows_json(quiet: dict[str, list[RowView]]) -> str:
    """The other rows as data for the page's script: each distinct row once."""
    numbers: dict[tuple[object, ...], int] = {}
    services = {
        identity: [numbers.setdefault(_row_data(row), len(numbers)) for row in rows]
        for identity, rows in quiet.items()
    }
    text = json.dumps({"rows": list(numbers), "services": services}, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _row_data(view: RowView) -> tuple[object, ...]:
    row = view.row
    observed = tuple((seen.state, STATE_TONES[seen.state], seen.grade) for seen in view.observed)
    return (
        *(row.name, "" if row.scope == "deploy" else row.scope, row.version),
        *(row.state, STATE_TONES[row.state], observed),
        *(view.loaded, view.differs, view.green, view.lines),
    )


def _resource(name: str) -> str:
    return (resources.files("pytest_arm64.resources") / "report" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
