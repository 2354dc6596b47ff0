"""The gate: what of the verdicts a team has neither reached nor declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .verdict import Verdict


def complaints(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """One line for each service that is neither compatible nor behind a sound boundary."""
    for verdict in verdicts:
        state = verdict.boundary
        if state is None:
            if not verdict.compatible:
                why = verdict.reasons[0] if verdict.reasons else verdict.next_step
                yield f"{verdict.service}: {verdict.label}: {why}"
        elif not state.sound:
            yield f"{verdict.service}: boundary: {', '.join(state.states)}: " + "; ".join(
                state.reasons[1:]
            )
