"""Puts the checks together: from the bytes of one photograph to a verdict with its reasons."""

from dataclasses import dataclass
from enum import Enum

from .duplicates import Catalogue, Duplicate
from .exposure import Exposure, measure_exposure
from .focus import Focus, measure_focus
from .perceptual_hash import dhash, phash
from .photograph import UnreadableImageError, decode

MIN_EDGE = 64
"""Below this, an image is an icon or a mistake; the hashes would compare invented detail."""


class Reason(str, Enum):
    """Why a photograph is turned away; the value is what is stored and shown."""

    UNDEREXPOSED = "underexposed"
    OVEREXPOSED = "overexposed"
    BLURRED = "blurred"
    SOFT = "soft"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Limits:
    """Where a measurement becomes a reason; a photograph exactly at a limit passes."""

    shadows: float = 0.5
    highlights: float = 0.2
    laplacian_variance: float = 60.0
    gradient_energy: float = 40.0


@dataclass(frozen=True)
class Verdict:
    """Everything measured on one photograph, and what follows from it."""

    name: str
    exposure: Exposure
    focus: Focus
    phash: int
    dhash: int
    duplicates: tuple[Duplicate, ...]
    reasons: tuple[Reason, ...]

    @property
    def accepted(self) -> bool:
        return not self.reasons


def validate(name: str, data: bytes, catalogue: Catalogue, limits: Limits | None = None) -> Verdict:
    """Judge one upload against the limits and against the photographs in the catalogue.

    Raises `UnreadableImageError` where there is nothing to judge. The catalogue is only read:
    whether a photograph joins it is for the caller to decide.
    """
    photograph = decode(data)
    width, height = photograph.luma.size
    if min(width, height) < MIN_EDGE:
        raise UnreadableImageError(f"{width}x{height} is too small: {MIN_EDGE} is the least")
    exposure = measure_exposure(photograph.colour, photograph.luma)
    focus = measure_focus(photograph.luma)
    perceptual, difference = phash(photograph.luma), dhash(photograph.luma)
    duplicates = catalogue.duplicates_of(name, perceptual, difference)
    reasons = _reasons(exposure, focus, duplicates, limits or Limits())
    return Verdict(name, exposure, focus, perceptual, difference, duplicates, reasons)


def _reasons(
    exposure: Exposure, focus: Focus, duplicates: tuple[Duplicate, ...], limits: Limits
) -> tuple[Reason, ...]:
    """All that applies, not only the first: a retake should cure everything at once."""
    findings = {
        Reason.UNDEREXPOSED: exposure.luma.shadows > limits.shadows,
        Reason.OVEREXPOSED: exposure.luma.highlights > limits.highlights,
        Reason.BLURRED: focus.laplacian_variance < limits.laplacian_variance,
        Reason.SOFT: focus.gradient_energy < limits.gradient_energy,
        Reason.DUPLICATE: bool(duplicates),
    }
    return tuple(reason for reason, applies in findings.items() if applies)
