"""The report as Markdown: for a comment or a step summary, what matters first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..audit.matrix import PURE, WHEEL
from ..decide.plain_markdown import plain
from .compare import ReportChange
from .document import Report
from .view import Card, cards, caveats, not_evaluated

COMMENT_BYTES = 64 * 1024 - 256  # GitHub's limit, less a marker by which a bot finds its comment
SUMMARY_BYTES = 1024 * 1024
"""What a comment may have, and what a step's summary may."""
_CUT = "\n\nThe rest is left out: it does not fit. The page and report.json have all of it.\n"


def report_markdown(
    report: Report, changed: Sequence[ReportChange] = (), *, limit: int = COMMENT_BYTES
) -> str:
    """The report in at most *limit* bytes of UTF-8; *changed* rows stand first."""
    return _fitted([*_head(report), *changes_markdown(changed), *_body(report)], limit)


def changes_markdown(changed: Sequence[ReportChange]) -> Iterator[str]:
    """What changed, as a table; nothing where nothing did."""
    if not changed:
        return
    yield "### Changed"
    yield ""
    yield "| | service | what | before | after |"
    yield "| --- | --- | --- | --- | --- |"
    for change in changed:
        what = plain(change.name) or change.what
        yield (
            f"| {change.direction} | {plain(change.service)} | {what} | "
            f"{plain(change.before) or '-'} | {plain(change.after) or '-'} |"
        )
    yield ""


def _head(report: Report) -> Iterator[str]:
    yield f"## {plain(report.headline.text)}"
    yield ""
    if report.headline.beside:
        yield f"Besides: {plain(', '.join(report.headline.beside))}"
        yield ""
    if report.headline.spend:
        yield f"By spend: {plain(report.headline.spend)}"
        yield ""
    for caveat in caveats(report):
        yield f"> {plain(caveat)}"
        yield ">"
    yield ""


def _body(report: Report) -> Iterator[str]:
    yield f"Target {plain(report.target)}, made {plain(report.made_at)}."
    yield ""
    yield "| service | verdict | wheels | builds | replaceable | tests |"
    yield "| --- | --- | --- | --- | --- | --- |"
    shown = cards(report)
    for card in shown:
        verdict = card.verdict
        answers = " | ".join(answer.answer for answer in verdict.answers)
        tests = plain(card.tests) or "not evaluated"
        yield f"| {plain(verdict.service)} | {plain(verdict.label)} | {answers} | {tests} |"
    yield ""
    if report.backlog:
        yield "### What to change first"
        yield ""
        for number, item in enumerate(report.backlog, 1):
            frees = f" frees {plain(', '.join(item.frees))}:" if item.certain and item.frees else ""
            yield f"{number}. **{plain(item.title)}**{frees} {plain(item.action)}"
        yield ""
    for card in shown:
        verdict = card.verdict
        yield f"### {plain(verdict.service)}: {plain(verdict.label)}"
        yield ""
        yield from (f"- {plain(reason)}" for reason in verdict.reasons)
        yield f"- next step: {plain(verdict.next_step)}"
        yield ""
        grave = [view for view in card.rows if view.state not in (PURE, WHEEL) or view.differs]
        if grave:
            yield "| package | predicted | observed | why, and what to do |"
            yield "| --- | --- | --- | --- |"
            for view in grave:
                seen = ", ".join(f"{s.state} ({s.grade})" for s in view.observed)
                yield (
                    f"| {plain(view.row.name)} {plain(view.row.version)} | {view.row.state} | "
                    f"{seen or 'not evaluated'} | {'<br>'.join(map(plain, view.lines))} |"
                )
            yield ""
        yield from _shown_by_tests(card)
    yield "### Not evaluated"
    yield ""
    yield from (f"- {plain(item)}" for item in not_evaluated(report, shown))


def _shown_by_tests(card: Card) -> Iterator[str]:
    for run in card.runs:
        yield from (f"- {test.outcome}: {plain(test.nodeid)}" for test in run.shown)
    for build in card.builds:
        if not build.build.succeeded:
            what = f"{build.build.package} {build.build.version}"
            yield f"- not built: {plain(what)} ({build.grade})"
    for view in card.goldens:
        if not view.result.ok:
            what = f"{view.result.test}: {view.result.name}"
            yield f"- {plain(view.result.label)}: {plain(what)} ({plain(view.where)})"
    if card.subjects:
        yield ""
        yield "| measured | where | median | 95 % | peak heap |"
        yield "| --- | --- | --- | --- | --- |"
        for subject in card.subjects:
            title = plain(subject.title) + (" (over budget)" if subject.over else "")
            for side in subject.sides:
                cells = (title, plain(side.where), side.median, side.p95, side.heap or "-")
                yield f"| {' | '.join(cells)} |"
        yield ""


def _fitted(lines: Sequence[str], limit: int) -> str:
    text = "\n".join(lines).rstrip() + "\n"
    if len(text.encode()) <= limit:
        return text
    room = limit - len(_CUT.encode())
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept) + _CUT
