"""A wheel matrix or a report as SARIF 2.1.0 or code quality, which forges show at their lines."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from .. import __version__
from ..advisories.database import KNOWN_DEFECT, KnownDefect
from ..advisories.entries import GRAVE
from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, Row, WheelMatrix
from ..audit.weight import ACCELERATORS
from ..binary.record import TOO_LARGE
from ..contents.packager_view import NOTES
from ..decide.drift import Drift
from ..decide.evidence import ServiceEvidence
from ..decide.verdict import INCOMPLETE, Verdict
from ..inputs.places import place_of
from ..sources.scan import CodeScan
from .code_output import sarif_results, sarif_rules
from .document import Report
from .drift_output import RULES as DRIFT_RULES
from .drift_output import level_of, words_of
from .matrix_output import defect_line, printable
from .packager_output import RULES as PACKAGER_RULES
from .packager_output import packager_text

Json = dict[str, object]
_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_DOCUMENTATION = "https://pytest-arm64.readthedocs.io"
_LEVELS = {BLOCKER: "error", UNKNOWN: "error", SOURCE: "warning"}
_SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}
"""GitLab's words for levels of SARIF."""
_RULES = {
    BLOCKER: ("No file of this release works on the target", "audit.html#causes"),
    SOURCE: ("This release has to be compiled for the target", "audit.html#causes"),
    UNKNOWN: ("Nothing can be said of this package", "audit.html#causes"),
    "problem": ("The dependency tree could not be evaluated completely", "audit.html"),
    "finding": ("A compiled file does not fit the target", "abi.html"),
    "build": ("A source distribution was not built for the target", "troubleshooting.html"),
    "test": ("A test fails on the target", "report.html#the-verdict"),
    "golden": ("A value is not what x86 computes", "golden.html"),
    "boundary": ("A declared boundary does not hold", "report.html#boundaries"),
    "incomplete": ("Not all tests of a service have run", "report.html#incomplete-runs"),
    KNOWN_DEFECT: ("An advisory says what is wrong with this release on ARM64", "advisories.html"),
    TOO_LARGE: ("The packages together are larger than the target takes", "audit.html"),
    ACCELERATORS: ("Packages need an accelerator that the target does not have", "audit.html"),
    **DRIFT_RULES,
    **PACKAGER_RULES,
}
"""What each rule says, and the page of the documentation about it."""
_MOST_TESTS = 100


@dataclass(frozen=True)
class _Source:
    """What a result is about, and what its paths are relative to."""

    service: str
    target: str
    manifest: str
    base: str = ""

    def result(self, rule: str, level: str, text: str, name: str, place: str = "") -> _Result:
        """A result at *place*, ``file:line`` or a file; by default at the manifest."""
        file, line = place_of(place or self.manifest)
        return _Result(
            rule=rule,
            level=level,
            text=without_links(f"{text} [{self.service} on {self.target}]"),
            # The same finding keeps its fingerprint when lines move.
            fingerprint="/".join([self.service, self.target, name, rule]),
            file=f"{self.base}/{file}" if self.base else file,
            line=line,
        )


class _Result(NamedTuple):
    """One finding, and where it is shown."""

    rule: str
    level: str
    text: str
    fingerprint: str
    file: str
    line: int
    """0 where it is about the whole file."""

    def sarif(self) -> Json:
        region = {"region": {"startLine": self.line}} if self.line else {}
        location = {"artifactLocation": {"uri": _uri(self.file)}, **region}
        return {
            "ruleId": f"arm64/{self.rule}",
            "level": self.level,
            "message": {"text": self.text},
            "locations": [{"physicalLocation": location}],
            "partialFingerprints": {"arm64/v1": self.fingerprint},
        }

    def code_quality(self) -> Json:
        return {
            "description": self.text,
            "check_name": f"arm64/{self.rule}",
            "fingerprint": hashlib.sha256(self.fingerprint.encode()).hexdigest(),
            "severity": _SEVERITIES[self.level],
            "location": {"path": self.file, "lines": {"begin": self.line or 1}},
        }


def sarif(
    matrices: Sequence[WheelMatrix],
    code: Sequence[CodeScan] = (),
    drifts: Sequence[Drift] = (),
) -> Json:
    """One run with a result for each deployed row that is not green, and each place in *code*.

    With *drifts*, what became worse takes the place of the rows.
    """
    rows = (
        result.sarif()
        for matrix in (() if drifts else matrices)
        for result in _matrix_results(
            matrix, _Source(matrix.service, matrix.target, matrix.manifest)
        )
    )
    worse = (result for drift in drifts for result in _drift_results(drift))
    return _document(chain(rows, worse, sarif_results(code)), sarif_rules())


def _drift_results(drift: Drift) -> Iterator[Json]:
    source = _Source(drift.service, drift.target, drift.manifest)
    for worsening in drift.worse:
        text = f"{words_of(worsening)} (compared with {drift.against})"
        name = worsening.name or worsening.text
        result = source.result(worsening.kind, level_of(worsening), text, name, worsening.place)
        yield result.sarif()


def report_sarif(report: Report) -> Json:
    """One run with all that a report has found; what a sound boundary declares is a note."""
    return _document(result.sarif() for result in _report_results(report))


def code_quality(report: Report) -> list[Json]:
    """The same results in the form of GitLab's code quality reports."""
    return [result.code_quality() for result in _report_results(report)]


def _report_results(report: Report) -> Iterator[_Result]:
    for service, verdict in zip(report.services, report.verdicts, strict=True):
        yield from _service_results(service, verdict, report.target_of(service))


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
        "informationUri": _DOCUMENTATION,
        "rules": [
            {
                "id": f"arm64/{rule}",
                "shortDescription": {"text": text},
                "help": {"text": f"{text}. {_DOCUMENTATION}/en/latest/{page}"},
                "helpUri": f"{_DOCUMENTATION}/en/latest/{page}",
            }
            for rule, (text, page) in _RULES.items()
        ]
        + list(more_rules),
    }


def _matrix_results(
    matrix: WheelMatrix, source: _Source, *, declared: bool = False
) -> Iterator[_Result]:
    for problem in matrix.problems:
        yield source.result("problem", "error", problem, "problem")
    for finding in matrix.findings:
        level = "note" if declared else "error" if finding.grave else "warning"
        text = f"{finding.text}. {finding.fix}" if finding.fix else finding.text
        yield source.result(finding.kind, level, text, finding.kind)
    for view in matrix.packagers:
        for problem in view.problems:
            yield source.result("problem", "error", f"{view.packager}: {problem}", view.packager)
        for difference in view.findings:
            harmless = declared or difference.kind in NOTES
            level = "note" if harmless else "error" if difference.grave else "warning"
            text, key = packager_text(view, difference), f"{view.packager} {difference.name}"
            yield source.result(difference.kind, level, text, key, difference.place)
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


def _service_results(service: ServiceEvidence, verdict: Verdict, target: str) -> Iterator[_Result]:
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
