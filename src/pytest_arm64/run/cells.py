"""The cell list of one session: which nested sessions run, in which order, and as what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..config.cell import Cell
from ..config.services import ServiceConfig
from ..config.settings import Settings


class Role(Enum):
    """What a cell is for."""

    REFERENCE = "reference"
    """The x86 side of a comparison: silent, with ARM's deployed versions."""
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

    @property
    def name(self) -> str:
        """``linux/amd64``, or the name of the core."""
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
    planned.append((Role.MIRRORED, "arm64", first))
    if x86 or (service.boundary is not None and not service.itself):
        planned = [(Role.MIRRORED, "amd64", first)]
    return tuple(
        PlannedCell(
            Cell(
                target=settings.target,
                architecture=architecture,
                core=core,
                image=settings.base.replace("{arch}", architecture),
            ),
            role,
            service,
        )
        for role, architecture, core in planned
    )
