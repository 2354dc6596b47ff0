"""Judges uploaded photographs by what can be measured without a model."""

from .duplicates import Catalogue, Duplicate
from .photograph import UnreadableImageError
from .validator import Limits, Reason, Verdict, validate

__all__ = [
    "Catalogue",
    "Duplicate",
    "Limits",
    "Reason",
    "UnreadableImageError",
    "Verdict",
    "validate",
]
