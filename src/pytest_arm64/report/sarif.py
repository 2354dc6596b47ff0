"""A wheel matrix or a report as SARIF 2.1.0, which code hosts show beside their lines."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from .. import __version__
from ..advisories.database import KNOWN_DEFECT, KnownDefect
from ..advisories.entries import GRAVE
from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, Row, WheelMatrix
from ..audit.weight import ACCELERATORS
from ..binary.record import TOO_LARGE
from ..decide.evidence import ServiceEvidence
from ..decide.verdict import INCOMPLETE, Verdict
from ..inputs.places import place_of
from ..sources.scan import CodeScan
from .code_output import sarif_results, sarif_rules
from .document import Report
from .matrix_output import defect_line, printable

Json = dict[str, object]
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS = {BLOCKER: "error", UNKNOWN: "error", SOURCE: "warning"}
_RULES = {
    BLOCKER: "No file of this release works on the target",
    SOURCE: "This release has to be compiled for the target",
    UNKNOWN: "Nothing can be said of this package",
    "problem": "The dependency tree could not be evaluated completely",
    "finding": "A compiled file does not fit the target",
    "build": "A source distribution was not built for the target",
    "test": "A test fails on the target",
    "golden": "A value is not what x86 computes",
    "boundary": "A declared boundary does not hold",
    "incomplete": "Not all tests of a service have run",
    KNOWN_DEFECT: "An advisory says what is wrong with this release on ARM64",
    TOO_LARGE: "The packages together are larger than the target takes",
    ACCELERATORS: "Packages need an accelerator that the target does not have",
}
_MOST_TESTS = 100


@dataclass(frozen=True)
class _Source:
    """What a result is about, and what its paths are relative to."""

    service: str
    target: str
    manifest: str
    base: str = ""

    def result(self, rule: str, level: str, text: str, name: str, place: str = "") -> Json:
        """A result at *place*, ``file:line`` or a file; by default at the manifest."""
        file, line = place_of(place or self.manifest)
        region = {"region": {"startLine": line}} if line else {}
        uri = _uri(f"{self.base}/{file}" if self.base else file)
        location = {"artifactLocation": {"uri": uri}, **region}
        return {
            "ruleId": f"arm64/{rule}",
            "level": level,
            "message": {"text": without_links(f"{text} [{self.service} on {self.target}]")},
            "locations": [{"physicalLocation": location}],
            # The same finding keeps its fingerprint when lines move.
            "partialFingerprints": {"arm64/v1": "/".join([self.service, self.target, name, rule])},
        }


def sarif(matrices: Sequence[WheelMatrix], code: Sequence[CodeScan] = ()) -> Json:
    """One run with a result for each deployed row that is not green, and each place in *code*."""
    rows = (
        result
        for matrix in matrices
        for result in _matrix_results(
            matrix, _Source(matrix.service, matrix.target, matrix.manifest)
        )
    )
    return _document(chain(rows, sarif_results(code)), sarif_rules())


def report_sarif(report: Report) -> Json:
    """One run with all that a report has found; what a sound boundary declares is a note."""
    return _document(
        result
        for service, verdict in zip(report.services, report.verdicts, strict=True)
        for result in _service_results(service, verdict, report.target)
    )


def _document(results: Iterable[Json], more_rules: Sequence[Json] = ()) -> Json:
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(more_rules)},
                "columnKind": "unicodeCodePoints",
                "results": list(results),
            }
        ],
    }


def _driver(more_rules: Sequence[Json]) -> Json:
    return {
        "name": "pytest-arm64",
        "version": __version__,
        "rules": [
            {"id": f"arm64/{state}", "shortDescription": {"text": text}}
            for state, text in _RULES.items()
        ]
        + list(more_rules),
    }


def _matrix_results(
    matrix: WheelMatrix, source: _Source, *, declared: bool = False
) -> Iterator[Json]:
    for problem in matrix.problems:
        yield source.result("problem", "error", problem, "problem")
    for finding in matrix.findings:
        level = "note" if declared else "error" if finding.grave else "warning"
        text = f"{finding.text}. {finding.fix}" if finding.fix else finding.text
        yield source.result(finding.kind, level, text, finding.kind)
    for row in matrix.deployed:
        place = row.path[0] if row.path else ""
        for defect in row.advisories:
            level = "note" if declared else _defect_level(defect)
            text = f"{row.name} {row.version}: {defect_line(defect)}. See {defect.url}"
            yield source.result(KNOWN_DEFECT, level, text, f"{row.name} {defect.id}", place)
        if not row.green:
            level = "note" if declared else _LEVELS[row.state]
            yield source.result(row.state, level, _text(row), row.name, place)


def _defect_level(defect: KnownDefect) -> str:
    if defect.grave:
        return "error"
    return "warning" if defect.effect in GRAVE else "note"


def _text(row: Row) -> str:
    parts = [f"{row.name} {row.version}".strip() + f" ({row.state}, {row.cause}): {row.detail}"]
    if row.remedy is not None:
        parts.append(row.remedy.text)
    return ". ".join(parts)


def _service_results(service: ServiceEvidence, verdict: Verdict, target: str) -> Iterator[Json]:
    boundary = verdict.boundary
    matrix = service.matrix
    manifest = matrix.manifest if matrix is not None else ""
    source = _Source(service.name, target, manifest or "pyproject.toml", service.base)
    if matrix is not None:
        declared = boundary is not None and boundary.sound
        yield from _matrix_results(matrix, source, declared=declared)
    if boundary is not None and not boundary.sound:
        told = "; ".join(boundary.reasons[1:])
        yield source.result("boundary", "error", told, "boundary")
    for build in service.builds:
        if not build.succeeded:
            told = f"{build.package} {build.version} was not built: {build.text}"
            yield source.result("build", "warning", told, build.package)
    for finding in service.findings:
        if finding.grave:
            told = ". ".join(part for part in (finding.text, finding.remedy) if part)
            name = f"{finding.kind} {finding.package} {finding.text}"
            yield source.result("finding", "error", told, name)
    for value in service.goldens:
        if not value.ok:
            told = f"{value.test}: {value.name}: {value.label} ({value.where})"
            place = value.test.partition("::")[0]
            yield source.result("golden", "error", told, f"{value.test} {value.name}", place)
    for reason in verdict.because:
        if reason.kind == INCOMPLETE:
            name = f"incomplete {reason.subject}"
            yield source.result("incomplete", "error", reason.text, name, reason.subject)
    failed = {test.nodeid: (test, run.where) for run in service.runs for test in run.bad}
    for nodeid, (test, where) in list(failed.items())[:_MOST_TESTS]:
        told = f"{nodeid}: {test.outcome} on {'ARM64' if where.on_arm else where.machine}"
        yield source.result("test", "error", told, nodeid, nodeid.partition("::")[0])


def without_links(text: str) -> str:
    """*text* as a message, in which SARIF takes ``[name](address)`` for a link, and shows one."""
    return printable(text).replace("](", "] (")


def _uri(file: str) -> str:
    return urllib.parse.quote(file.replace("\\", "/"))
