"""The words of a report in one line each: legend and tooltips of the page."""

from __future__ import annotations

from ..audit.matrix import BLOCKER, PURE, SOURCE, UNKNOWN, WHEEL
from ..decide.verdict import BUILD, MIGRATE, READY, REPLACE, STAY, UNDECIDED
from ..inside.ran import EMULATED, NATIVE, PREDICTED

STAND_IN = "on a stand-in"
TERMS = {
    MIGRATE: "all tests pass on an ARM machine, with the image and the versions that are deployed",
    READY: "nothing is in the way; the evidence is predicted, emulated or on another image",
    BUILD: "some packages have no ARM64 wheel, and all of these build reliably from source",
    REPLACE: "some packages have no ARM64 wheel and do not build, and all of these can be replaced",
    STAY: "nothing helps today, or the team declared that the service stays",
    UNDECIDED: "a question is open, tests fail on ARM64, or not all tests ran",
    PREDICTED: "concluded from the package index; nothing was installed or run",
    EMULATED: "seen on an emulated ARM processor; says nothing about speed",
    NATIVE: "seen on an ARM machine",
    STAND_IN: "seen on another operating system than the target's; does not certify the target",
    PURE: "one file of the package serves every platform",
    WHEEL: "the package has a compiled wheel that the target can use",
    SOURCE: "the package has to be compiled for the target",
    BLOCKER: "the package has no file that the target can use",
    UNKNOWN: "the state of the package could not be determined",
    "frees": "nothing else is in the way of the service",
    "boundary": "a declaration that a service stays on x86, with a reason and a review date",
    "by spend": "share of the configured monthly cost, services without a cost left out",
}
"""Each word that the page uses in a sense of its own, in the order of the legend."""


def word_id(word: str) -> str:
    """The anchor of *word* in the legend."""
    return "word-" + "".join(c if c.isalnum() else "-" for c in word)


def grade_tooltip(words: str) -> str:
    """What a grade means, such as ``emulated, on a stand-in``; empty for anything else."""
    return "; ".join(f"{part}: {TERMS[part]}" for part in words.split(", ") if part in TERMS)
