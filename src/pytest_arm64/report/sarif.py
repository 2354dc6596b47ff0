"""The wheel matrix as SARIF 2.1.0, which code hosts show beside the lines that it speaks of."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Sequence
from typing import Any

from .. import __version__
from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, Row, WheelMatrix
from .matrix import printable

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {BLOCKER: "error", UNKNOWN: "error", SOURCE: "warning"}
_RULES = {
    BLOCKER: "No file of this release can be installed on the target",
    SOURCE: "This release has to be compiled for the target",
    UNKNOWN: "Nothing can be said of this package",
    "problem": "The dependency tree could not be evaluated completely",
}


def sarif(matrices: Sequence[WheelMatrix]) -> dict[str, Any]:
    """One run with a result for each deployed row that is not green."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver()},
                "columnKind": "unicodeCodePoints",
                "results": [result for matrix in matrices for result in _results(matrix)],
            }
        ],
    }


def _driver() -> dict[str, Any]:
    return {
        "name": "pytest-arm64",
        "version": __version__,
        "rules": [
            {"id": f"arm64/{state}", "shortDescription": {"text": text}}
            for state, text in _RULES.items()
        ],
    }


def _results(matrix: WheelMatrix) -> Iterator[dict[str, Any]]:
    for problem in matrix.problems:
        yield _result(matrix, "problem", "error", problem, matrix.manifest, "problem")
    for row in matrix.deployed:
        if not row.green:
            place = row.path[0] if row.path else matrix.manifest
            yield _result(matrix, row.state, _LEVELS[row.state], _text(row), place, row.name)


def _text(row: Row) -> str:
    parts = [f"{row.name} {row.version}".strip() + f" ({row.state}, {row.cause}): {row.detail}"]
    if row.remedy is not None:
        parts.append(row.remedy.text)
    return ". ".join(parts)


def _result(
    matrix: WheelMatrix, rule: str, level: str, text: str, place: str, name: str
) -> dict[str, Any]:
    file, _, line = place.rpartition(":")
    if not (file and line.isdigit()):
        file, line = place or matrix.manifest, ""
    region = {"region": {"startLine": int(line)}} if line else {}
    return {
        "ruleId": f"arm64/{rule}",
        "level": level,
        "message": {"text": f"{printable(text)} [{matrix.service} on {matrix.target}]"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": _uri(file)}, **region}}],
        # The same finding keeps its fingerprint when lines move.
        "partialFingerprints": {"arm64/v1": "/".join([matrix.service, matrix.target, name, rule])},
    }


def _uri(file: str) -> str:
    return urllib.parse.quote(file.replace("\\", "/"))
