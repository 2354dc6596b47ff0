"""The parts that a run has: all that the arguments select, or those that have something to try."""

from __future__ import annotations

import pytest

from ..config.project import Project
from ..mirror.task import Task
from .parts import RunPart, parts_of

UNTRIED = pytest.StashKey[tuple[str, ...]]()
"""Which parts are not tried, and why."""


def chosen_parts(config: pytest.Config, project: Project, task: Task) -> tuple[RunPart, ...]:
    """The parts of this run, each with its cells.

    Raises:
        SettingsError: an option names what does not exist, or a change that cannot be tried.
    """
    parts = parts_of(config, project, task)
    if not config.option.arm64_try or config.hook.pytest_arm64_place.get_hookimpls():
        return parts  # what a plugin's places have, only it knows
    # What resolves is loaded where something is tried.
    from .trial_parts import parts_to_try

    tried = parts_to_try(config, project, parts)
    config.stash[UNTRIED] = tried.lines
    return tried.parts
