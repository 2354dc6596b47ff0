"""How a report shows changes that were tried: predicted and tried, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..audit.matrix import Row
from ..config.changes import Change
from ..decide.evidence import ServiceEvidence, grade_words
from ..decide.plain_markdown import plain
from ..decide.trials import EFFECTS, Effect, Trial, TrialSide

_SHOWN = 50


@dataclass(frozen=True)
class ChangeView:
    """One change, and what the audit predicts of the package."""

    change: str
    predicted: str


@dataclass(frozen=True)
class TriedSide:
    """The tests with the changes on one architecture."""

    side: TrialSide
    grade: str
    shown: tuple[Effect, ...]
    hidden: int


@dataclass(frozen=True)
class TrialView:
    """One trial."""

    trial: Trial
    word: str
    """``equal``, ``breaks`` or ``incomplete``."""
    tone: str
    changes: tuple[ChangeView, ...]
    sides: tuple[TriedSide, ...]


def trial_views(service: ServiceEvidence) -> Iterator[TrialView]:
    """What was tried for *service*, in the order of the report."""
    rows = {row.name: row for row in service.matrix.deployed} if service.matrix else {}
    for trial in service.trials:
        word, tone = _outcome(trial)
        yield TrialView(
            trial,
            word,
            tone,
            tuple(ChangeView(str(c), _predicted(c, rows.get(c.name))) for c in trial.changes),
            tuple(map(_side, trial.sides)),
        )


def _outcome(trial: Trial) -> tuple[str, str]:
    if trial.breaks:
        return "breaks", "bad"
    return ("equal", "good") if trial.whole else ("incomplete", "warn")


def _predicted(change: Change, row: Row | None) -> str:
    """What the audit says of the package that is changed, as it is deployed."""
    if row is None:
        return "not among the deployed packages"
    what = f"{row.name} {row.version}: {row.state}"
    if row.remedy is None or row.green:
        return what
    remedy = row.remedy
    if change.renames:
        known = remedy.replacement == change.new_name
        return f"{what}; {change.new_name} {'does its work' if known else 'is not known for it'}"
    return f"{what}; {remedy.text}"


def _side(side: TrialSide) -> TriedSide:
    ordered = [effect for kind in EFFECTS for effect in side.of_kind(kind)]
    where = side.where
    # Only runs on ARM64 have a grade.
    grade = grade_words(where.grade, stand_in=where.stand_in) if where.on_arm else "x86"
    return TriedSide(side, grade, tuple(ordered[:_SHOWN]), max(0, len(ordered) - _SHOWN))


def trials_markdown(views: Iterable[TrialView]) -> Iterator[str]:
    """Predicted and tried as a table, then what is not as it was."""
    views = list(views)
    if not views:
        return
    yield "| change | predicted | tried on x86 | tried on ARM64 |"
    yield "| --- | --- | --- | --- |"
    for view in views:
        changes = "<br>".join(plain(change.change) for change in view.changes)
        predicted = "<br>".join(plain(change.predicted) for change in view.changes)
        words = {side.side.architecture: plain(side.side.words) for side in view.sides}
        x86, arm = (words.get(name, "not evaluated") for name in ("amd64", "arm64"))
        yield f"| {changes} | {predicted} | {x86} | {arm} |"
    yield ""
    for view in views:
        for reason in (view.trial.result,) if view.word == "incomplete" else ():
            yield f"- {plain(view.trial.shown)}: {plain(reason)}"
        for side in view.sides:
            for effect in side.shown:
                yield f"- {side.side.machine}: {plain(str(effect))}"
            if side.hidden:
                yield f"- {side.side.machine}: {side.hidden} more effects are in report.json"
    yield ""
