"""Code that assumes x86, as a person reads it, as JSON and as results of SARIF."""

from __future__ import annotations

import urllib.parse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..inside.counted import counted
from ..sources.findings import CodeFinding
from ..sources.rules import Rule, all_rules
from ..sources.scan import CodeScan
from .matrix_output import cell, printable

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, object]
EXTRA = "pytest-arm64[code]"
"""What brings the parsers of C, C++ and Rust."""


def heading(scan: CodeScan) -> str:
    """``code of api that assumes x86: 2 places``; empty where there is nothing to say."""
    if not (scan.findings or scan.unread or scan.unparsed or scan.branches):
        return ""
    places = counted(len(scan.findings), "place")
    more = [f"{counted(scan.unread, 'file')} not read"] if scan.unread else []
    more += [f"{scan.ignored} ignored by comments"] if scan.ignored else []
    return f"code of {scan.service} that assumes x86: {', '.join([places, *more])}"


def summary_lines(scan: CodeScan) -> list[str]:
    """How many branches for x86 there are, and what was not read for want of a parser."""
    lines = []
    if scan.branches:
        without = sum(not branch.arm for branch in scan.branches)
        if len(scan.branches) == 1:
            lines.append(f"1 branch for x86, with{'out' * without} a way for ARM64")
        else:
            some = f"{len(scan.branches)} branches for x86, {without} of them"
            lines.append(f"{some} without a way for ARM64")
    if scan.unparsed:
        files = counted(scan.unparsed, "file")
        lines.append(f"{files} of C, C++ or Rust not read: pip install '{EXTRA}'")
    return lines


def finding_lines(finding: CodeFinding) -> list[str]:
    """A finding in two lines, or three where its comment is not complete."""
    lines = [f"{finding.place}: {finding.rule}: {finding.what}", f"  → {finding.fix}"]
    return [*lines, f"  note: {finding.note}"] if finding.note else lines


def print_code(console: Console, scans: Sequence[CodeScan]) -> None:
    """A section for each service with something to say."""
    from rich.text import Text

    for scan in scans:
        if heading(scan):
            console.print(Text(printable(heading(scan)), "bold"))
            for finding in scan.findings:
                for line in finding_lines(finding):
                    console.print(Text(printable(line)))
            for line in summary_lines(scan):
                console.print(Text(printable(line)))
            if scan.findings:
                console.print(Text("Advice: it changes no state. --explain RULE says more."))
            console.print()


def code_markdown(scans: Sequence[CodeScan]) -> str:
    """A table for each service with something to say."""
    lines: list[str] = []
    for scan in filter(heading, scans):
        lines += ["", f"## {cell(heading(scan))}", ""]
        if scan.findings:
            lines += ["| place | rule | what | fix |", "| --- | --- | --- | --- |"]
        for found in scan.findings:
            what = f"{found.what} ({found.note})" if found.note else found.what
            cells = (found.place, found.rule, what, found.fix)
            lines.append(f"| {' | '.join(map(cell, cells))} |")
        summary = summary_lines(scan)
        lines += [*[""] * bool(scan.findings and summary), *map(cell, summary)]
    return "\n".join(lines)


def code_json(scans: Sequence[CodeScan]) -> list[Json]:
    """Ready for ``json.dumps``."""
    return [asdict(scan) for scan in scans]


def sarif_rules() -> list[Json]:
    """Every rule, with what its findings mean and what to do."""
    return [_sarif_rule(rule) for rule in all_rules()]


def _sarif_rule(rule: Rule) -> Json:
    return {
        "id": f"arm64/{rule.id}",
        "shortDescription": {"text": rule.what},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.why} {rule.fix}"},
        "helpUri": rule.references[0],
        "properties": {"precision": rule.confidence},
    }


def sarif_results(scans: Sequence[CodeScan]) -> Iterator[Json]:
    """A note for each place; the same place keeps its fingerprint when lines move."""
    for scan in scans:
        seen: Counter[str] = Counter()
        for finding in scan.findings:
            mark = "/".join([scan.service, finding.rule, finding.path, finding.code])
            seen[mark] += 1
            text = ". ".join(filter(None, [finding.what, finding.fix.rstrip("."), finding.note]))
            yield {
                "ruleId": f"arm64/{finding.rule}",
                "level": "note",
                "message": {"text": printable(f"{text} [{scan.service}]")},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": urllib.parse.quote(finding.path)},
                            "region": {"startLine": finding.line},
                        }
                    }
                ],
                "partialFingerprints": {"arm64/v1": f"{mark}/{seen[mark]}"},
            }
