"""Evidence of sessions that were to run and never began."""

from __future__ import annotations

from dataclasses import replace

from ..config.settings import Settings
from ..decide.collect import with_refusal
from ..decide.evidence import NOT_STARTED, Incident, ServiceEvidence, TestRun
from ..errors import InstallError
from ..inside.ran import MACHINE, Ran
from .incidents import one_line


def error_line(error: Exception) -> str:
    """*error* in one line; where the session inside refused its arguments, it has said why."""
    return one_line(str(error)) or "the session refused its arguments"


def not_started(evidence: ServiceEvidence, error: Exception, where: Ran) -> ServiceEvidence:
    """*evidence* with a session that was to run on *where* and was never begun."""
    if isinstance(error, InstallError):
        evidence = with_refusal(evidence, error, where)
    idle = TestRun(where, (), incidents=(Incident(NOT_STARTED, error_line(error)),))
    return replace(evidence, runs=(*evidence.runs, idle))


def unknown_place(settings: Settings, when: str) -> Ran:
    """Where a session by *settings* was to run, of which nothing is known."""
    nowhere = Ran(machine=MACHINE, target=settings.target.name)
    return nowhere.as_evidence(when, asked_image=is_own_image(settings))


def is_own_image(settings: Settings) -> bool:
    """Whether a session by *settings* runs in the image of its target."""
    return settings.base == settings.target.reference
