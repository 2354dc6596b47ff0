"""The cell list of one session: which nested sessions run, in which order, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..config.cell import Cell
from ..config.changes import Change
from ..config.services import ServiceConfig
from ..config.settings import Settings


class Role(Enum):
    """What a cell is for."""

    REFERENCE = "reference"
    """The x86 side of a comparison: silent, with ARM's deployed versions; of a trial, as locked."""
    CHANGED = "changed"
    """linux/amd64 with the changes to try: silent."""
    FURTHER = "further"
    """Another core: silent, reported as one gate."""
    MIRRORED = "mirrored"
    """The one that the host's session shows."""


@dataclass(frozen=True)
class PlannedCell:
    """One cell of a session."""

    cell: Cell
    role: Role
    service: ServiceConfig
    """Whose packages and tests it has."""
    changes: tuple[Change, ...] = ()
    """What is tried in it."""

    @property
    def name(self) -> str:
        """``linux/amd64``, with the change or without, or the name of the core."""
        if self.role is Role.CHANGED:
            return f"{self.cell.platform} with the change"
        return self.cell.platform if self.role is Role.REFERENCE else self.cell.core


def planned_cells(
    settings: Settings, service: ServiceConfig, *, x86: bool = False
) -> tuple[PlannedCell, ...]:
    """The cells of *service*, by its *settings*, in the order in which they run.

    The mirrored one is the last.
    What stays on x86, a service behind a boundary or its marked tests (*x86*), has one cell, of
    linux/amd64.
    """
    first, *further = settings.cores
    planned = [(Role.FURTHER, "arm64", core) for core in further]
    if settings.reference:
        planned.insert(0, (Role.REFERENCE, "amd64", first))
    if settings.changes:
        planned.insert(1, (Role.CHANGED, "amd64", first))
    planned.append((Role.MIRRORED, "arm64", first))
    if x86 or (service.boundary is not None and not service.itself):
        return (_planned(settings, service, Role.MIRRORED, "amd64", first),)
    return tuple(
        _planned(settings, service, role, architecture, core)
        for role, architecture, core in planned
    )


def _planned(
    settings: Settings, service: ServiceConfig, role: Role, architecture: str, core: str
) -> PlannedCell:
    as_locked = role is Role.REFERENCE or service.boundary is not None
    return PlannedCell(
        Cell(
            target=settings.target,
            architecture=architecture,
            core=core,
            image=settings.base.replace("{arch}", architecture),
        ),
        role,
        service,
        () if as_locked else settings.changes,
    )
