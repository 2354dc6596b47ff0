"""The report as Markdown: for a comment or a step summary, what matters first."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Sequence

from ..audit.matrix import PURE, WHEEL
from ..decide.plain_markdown import plain
from ..inputs.places import place_of
from .compare import ReportChange
from .document import Report
from .known_links import known_links
from .overview import arithmetic, in_the_way
from .savings import SavingsView
from .trial_view import trials_markdown
from .view import Card, RowView, cards, caveats, not_evaluated

COMMENT_BYTES = 64 * 1024 - 256  # GitHub's limit, less a marker by which a bot finds its comment
SUMMARY_BYTES = 1024 * 1024
"""What a comment may have, and what a step's summary may."""
_CUT = "\n\nThe rest is left out: it does not fit. The page and report.json have all of it.\n"
_CLOSE = "\n\n</details>"


def report_markdown(
    report: Report,
    changed: Sequence[ReportChange] = (),
    *,
    limit: int = COMMENT_BYTES,
    sources: str = "",
    savings: SavingsView | None = None,
) -> str:
    """The report in at most *limit* bytes of UTF-8; *changed* rows stand first.

    Args:
        report: the report.
        changed: what changed since an earlier one.
        limit: bytes.
        sources: address of the folder that paths are relative to; lines are linked to it.
        savings: planned savings, shown before the evidence.
    """
    planned = _planned(savings) if savings else ()
    body = _body(report, sources)
    return _fitted([*_head(report), *changes_markdown(changed), *planned, *body], limit)


def _planned(savings: SavingsView) -> Iterator[str]:
    yield "### Savings by part"
    yield ""
    share = f" ({savings.share})" if savings.share else ""
    yield (
        f"{savings.total} a month: {savings.due_to_arm}{share} due to ARM, {savings.otherwise} "
        "from what was changed along with it."
    )
    yield ""
    yield "| part | saving | a month | due to ARM | calculated from | published |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for line in savings.lines:
        figures = [f"{f.name}: {f.value} ({f.basis})" for f in line.figures]
        calculated = "; ".join([*figures, *([line.note] if line.note else [])])
        yield (
            f"| {line.part} | {plain(line.name)} | {line.amount} | "
            f"{'yes' if line.due_to_arm else 'no'} | {plain(calculated) or '-'} | "
            f"{plain(line.published) or '-'} |"
        )
    yield ""


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
    yield f"**{arithmetic(report.verdicts)}**"
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


def _body(report: Report, sources: str) -> Iterator[str]:
    several = report.has_several_targets
    noun = "Targets" if several else "Target"
    yield f"{noun} {plain(report.target)}, created {plain(report.made_at)}."
    yield ""
    heads = ["service", *(["target"] if several else []), "verdict", "what is in the way", "tests"]
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---' for _ in heads)} |"
    shown = cards(report)
    for card in shown:
        verdict = card.verdict
        tests = plain(card.tests) or "not evaluated"
        way = plain(in_the_way(verdict)) or "nothing"
        names = [plain(verdict.service), *([plain(card.target)] if card.target else [])]
        yield f"| {' | '.join(names)} | {plain(verdict.label)} | {way} | {tests} |"
    yield ""
    if report.backlog:
        yield "### What to change first"
        yield ""
        for number, item in enumerate(report.backlog, 1):
            frees = f" frees {plain(', '.join(item.frees))}:" if item.certain and item.frees else ""
            yield f"{number}. **{plain(item.title)}**{frees} {_linked(item.action)}"
        yield ""
    green = [card for card in shown if _is_green(card)]
    for card in shown:
        if card not in green:
            yield from _service(card, sources)
    if green:
        noun = "service is" if len(green) == 1 else "services are"
        yield from _folded(
            f"{len(green)} {noun} compatible, with nothing to report",
            [line for card in green for line in _service(card, sources)],
        )
    open_ = [f"- {plain(item)}" for item in not_evaluated(report, shown)]
    yield from _folded(f"Not evaluated: {len(open_)}", open_)


def _is_green(card: Card) -> bool:
    """Whether a service is compatible, and shows nothing that somebody should look at."""
    return card.verdict.compatible and not card.marks and not any(map(_grave, card.rows))


def _grave(view: RowView) -> bool:
    return view.state not in (PURE, WHEEL) or view.differs


def _folded(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from lines
    yield ""
    yield "</details>"
    yield ""


def _service(card: Card, sources: str) -> Iterator[str]:
    verdict = card.verdict
    yield f"### {plain(verdict.service)}: {plain(verdict.label)}"
    yield ""
    yield from (f"- {plain(reason)}" for reason in verdict.reasons)
    yield f"- next step: {plain(verdict.next_step)}"
    if verdict.code:
        yield f"- code: {plain(verdict.code)}"
    yield ""
    grave = [view for view in card.rows if _grave(view)]
    if grave:
        yield "| package | predicted | observed | why, and what to do |"
        yield "| --- | --- | --- | --- |"
        for view in grave:
            seen = ", ".join(f"{s.state} ({s.grade})" for s in view.observed)
            lines = [*map(_linked, view.lines), *_place_link(view, card.base, sources)]
            yield (
                f"| {plain(view.row.name)} {plain(view.row.version)} | {view.row.state} | "
                f"{seen or 'not evaluated'} | {'<br>'.join(lines)} |"
            )
        yield ""
    yield from trials_markdown(card.trials)
    yield from _shown_by_tests(card)


def _linked(text: str) -> str:
    """*text* as plain Markdown, in which addresses of known replacements are links."""
    parts = known_links(text)
    return "".join(f"<{address}>" if address else plain(part) for part, address in parts)


def _place_link(view: RowView, base: str, sources: str) -> Iterator[str]:
    """A link to the line that requires a package, if the address of the sources is known."""
    file, line = place_of(view.row.path[0]) if sources and view.row.path else ("", 0)
    parts = [*filter(None, base.split("/")), *file.replace("\\", "/").split("/")]
    if line and ".." not in parts:
        # Every character that could be markup is quoted, parentheses as well.
        path = urllib.parse.quote("/".join(parts))
        yield f"[{plain(view.row.path[0])}]({sources.rstrip('/')}/{path}#L{line})"


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
    room = limit - len((_CUT + _CLOSE).encode())
    kept: list[str] = []
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    folded = sum(line.startswith("<details>") for line in kept) - kept.count("</details>")
    return "\n".join(kept) + _CLOSE * folded + _CUT
