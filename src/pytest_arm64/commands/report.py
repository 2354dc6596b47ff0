"""The command ``pytest-arm64 report``: show, compare and merge reports."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from ..config.project_files import ProjectFiles, read_project_files
from ..config.services import services_at
from ..config.suggestions import suggestion
from ..cost.savings_plan import read_savings
from ..decide.baseline import Accepted, read_baseline, write_baseline
from ..decide.boundary import decision_record
from ..decide.gate import complaint, complaints, decision, of_findings
from ..decide.package_verdicts import ALL, NEW
from ..decide.questions import states
from ..errors import ReportError
from ..open_folder import OpenFolder
from ..report.compare import WORSE, changes
from ..report.document import MARKDOWN, PAGE, Report, read_report, write_report
from ..report.markdown import (
    COMMENT_BYTES,
    SUMMARY_BYTES,
    changes_markdown,
    report_markdown,
)
from ..report.matrix_output import printable
from ..report.merge import merge
from ..report.sarif import code_quality, report_sarif
from ..report.savings import SavingsView, savings_view
from ..report.spreadsheets import WORKBOOK, csv_text, workbook

DESCRIPTION = """\
Render report.json of --arm64-report as a page and as Markdown, print it in other formats,
compare two reports, merge several, or check one in a pipeline.
"""
EPILOG = """\
examples:
  pytest-arm64 report out
  pytest-arm64 report out --format markdown --against main/out
  pytest-arm64 report merge out/1 out/2 --output out/all
  pytest-arm64 report out --format csv
  pytest-arm64 report out --savings savings.toml
  pytest-arm64 report out --check

exit codes:
  0  done; with --check: every service is compatible, or behind a sound boundary
  1  --check found a problem, or `diff` found something worse
  2  a report cannot be read, written or merged
"""

_ADDRESS = re.compile(r"https?://[\w.~:/@%+-]+", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        "what",
        nargs="*",
        metavar="REPORT",
        help="folder of --arm64-report (default: this one), or: diff A B, or: merge A B… --output "
        "DIR",
    )
    parser.add_argument(
        "--format",
        choices=("files", "html", *_MARKDOWN, *_PRINTED, "xlsx"),
        metavar="FORMAT",
        default="files",
        help="files: write report.html and report.md; or print: html, markdown (up to 64 KB, for a "
        "comment), summary (up to 1 MiB, for a CI step), sarif, code-quality (for GitLab), "
        "decisions (record of boundaries), csv (a row for each service); xlsx: write report.xlsx "
        "with services and packages; default: files",
    )
    parser.add_argument(
        "--output",
        default="",
        metavar="DIR",
        help="write to this folder (default: that of the report)",
    )
    parser.add_argument(
        "--against",
        default="",
        metavar="REPORT",
        help="begin the Markdown with the changes since this earlier report, and show its headline "
        "on the page",
    )
    parser.add_argument(
        "--savings",
        type=Path,
        metavar="FILE",
        help="show the savings that this TOML file plans on the page and in the Markdown, with "
        "the numbers that they are calculated from",
    )
    parser.add_argument(
        "--prices", type=Path, metavar="FILE", help="TOML file with your own prices, for --savings"
    )
    parser.add_argument(
        "--sources",
        default="",
        metavar="URL",
        help="link lines of requirement files in the Markdown to this address of the folder that "
        "they are in, such as https://github.com/OWNER/REPOSITORY/blob/COMMIT",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="exit with 1 if a service is neither compatible nor behind a sound boundary, or has "
        "lost evidence that arm64-baseline.json rests on",
    )
    parser.add_argument(
        "--write-baseline",
        action="store_true",
        help="accept all findings of the report: write them to arm64-baseline.json",
    )


def run_command(options: argparse.Namespace) -> int:
    """Do what was asked; 0, or 1 where ``--check`` or a comparison found something worse.

    Raises:
        ReportError: a report cannot be read, written, rendered or merged.
        PriceError: the file of savings, or a price in it, cannot be used.
    """
    words: list[str] = options.what or ["."]
    if words[0] == "diff":
        return _diff(words[1:], options)
    if words[0] == "merge":
        return _merge(words[1:], options)
    if len(words) > 1:
        near = "" if Path(words[0]).exists() else suggestion(words[0], ("diff", "merge"))
        raise ReportError(
            f"one report at a time, not {len(words)}: {' '.join(words)}{near}",
            next_step="pytest-arm64 report merge A B --output DIR, or: report diff A B",
        )
    return _show(read_report(Path(words[0])), _folder(Path(words[0])), options)


def _show(report: Report, folder: Path, options: argparse.Namespace) -> int:
    earlier = read_report(Path(options.against)) if options.against else None
    changed = changes(earlier, report) if earlier else ()
    sources, savings = _sources(options.sources), _savings(report, options)
    out = Path(options.output) if options.output else folder
    if options.format in ("html", *_MARKDOWN, *_PRINTED):
        if options.format in _MARKDOWN:
            limit = _MARKDOWN[options.format]
            text = report_markdown(report, changed, limit=limit, sources=sources, savings=savings)
        elif options.format == "html":
            text = _page(report, earlier, savings)
        else:
            text = _PRINTED[options.format](report)
        sys.stdout.write(text)
    elif options.format == "xlsx":
        _write(out / WORKBOOK, workbook(report))
        _say(f"wrote {out / WORKBOOK}")
    else:
        _write(out / PAGE, _encoded(_page(report, earlier, savings)))
        text = report_markdown(report, changed, sources=sources, savings=savings)
        _write(out / MARKDOWN, _encoded(text))
        _say(report.headline.line)
        for line in report.lines:
            _say(f"  {line}")
        _say(f"wrote {out / PAGE} and {out / MARKDOWN}")
    if options.write_baseline:
        _say(f"wrote {accept(report, read_project_files(Path.cwd()))}")
    return _checked(report) if options.check else 0


def accept(report: Report, files: ProjectFiles) -> Path:
    """Write the baseline of the repository of *files*: states, compiled files, verdicts.

    Raises:
        SettingsError: a matrix is incomplete, or the file cannot be written.
    """
    pairs = list(zip(report.services, report.verdicts, strict=True))
    judged = [decision(service, verdict, report.day) for service, verdict in pairs]
    targets = {service.name: report.target_of(service) for service in report.services}
    for service, _ in pairs:
        judged += of_findings(service.name, service.findings)
    return write_baseline(
        files.root,
        [service.matrix for service, _ in pairs if service.matrix is not None],
        findings={
            (judgement.service, targets[judgement.service], judgement.name): Accepted(
                judgement.state, judgement.grade
            )
            for judgement in judged
        },
        services=services_at(files),
        observed={service.name: states(service, report.day) for service, _ in pairs},
    )


def decisions(report: Report) -> str:
    """The declared boundaries of *report* as a Markdown decision record."""
    declared = [
        (service, verdict.boundary)
        for service, verdict in zip(report.services, report.verdicts, strict=True)
        if verdict.boundary is not None
    ]
    return decision_record(declared, made=report.day)


def _checked(report: Report) -> int:
    files = read_project_files(Path.cwd())
    baseline = read_baseline(files.root, services_at(files))
    policy = ALL if baseline is None else NEW
    lines = [f"incomplete run: {report.incomplete}"] if report.incomplete else []
    if not report.services:
        lines.append("this report has no service")
    lines += complaints(report.verdicts)
    for service, verdict in zip(report.services, report.verdicts, strict=True):
        if verdict.compatible:
            judgement = decision(service, verdict, report.day)
            text = complaint(judgement, policy, baseline, report.target_of(service))
            lines += [f"{service.name}: {': '.join(text.splitlines())}"] if text else []
    for line in lines:
        sys.stderr.write(f"pytest-arm64: {printable(line)}\n")
    return int(bool(lines))


def _diff(words: Sequence[str], options: argparse.Namespace) -> int:
    if len(words) != 2:
        raise ReportError("report diff needs two reports", next_step="pytest-arm64 report diff A B")
    before, after = (read_report(Path(word)) for word in words)
    differences = changes(before, after)
    if options.format == "markdown":
        sys.stdout.write(
            "\n".join(changes_markdown(differences)) + "\n" if differences else "No change.\n"
        )
    else:
        _say(f"before: {before.headline.text}")
        _say(f"after:  {after.headline.text}")
        for change in differences:
            _say(f"  {change.direction}: {change.text}")
        if not differences:
            _say("  no change")
    return int(any(change.direction == WORSE for change in differences))


def _merge(words: Sequence[str], options: argparse.Namespace) -> int:
    if not words or not options.output:
        raise ReportError(
            "report merge needs reports and a folder",
            next_step="pytest-arm64 report merge A B --output DIR",
        )
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    report = merge([read_report(Path(word)) for word in words], now)
    for note in report.notes:
        sys.stderr.write(f"pytest-arm64: {printable(note)}\n")
    write_report(report, Path(options.output))
    return _show(report, Path(options.output), options)


def _page(report: Report, earlier: Report | None, savings: SavingsView | None) -> str:
    from ..report.page import html_page

    return html_page(report, earlier, savings)


def _savings(report: Report, options: argparse.Namespace) -> SavingsView | None:
    if options.savings is None:
        return None
    return savings_view(report, read_savings(options.savings, options.prices))


_MARKDOWN = {"markdown": COMMENT_BYTES, "summary": SUMMARY_BYTES}
"""Formats of Markdown, by the word of ``--format``, with the bytes that each may have."""
_PRINTED: dict[str, Callable[[Report], str]] = {
    "sarif": lambda report: _json(report_sarif(report)),
    "code-quality": lambda report: _json(code_quality(report)),
    "decisions": decisions,
    "csv": csv_text,
}
"""What else is printed instead of being written."""


def _json(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"


def _sources(address: str) -> str:
    """*address*, checked.

    Raises:
        ReportError: it is not an address that Markdown can link to.
    """
    if address and not _ADDRESS.fullmatch(address):
        raise ReportError(
            f"--sources {address!r} is not an http or https address",
            next_step="--sources https://github.com/OWNER/REPOSITORY/blob/COMMIT",
        )
    return address


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _write(path: Path, content: bytes) -> None:
    try:
        with OpenFolder(path.parent) as folder:
            folder.write(path.name, content)
    except OSError as error:
        raise ReportError(
            f"{path} cannot be written: {error.strerror}", next_step="--output DIR"
        ) from None


def _say(line: str) -> None:
    sys.stdout.write(printable(line) + "\n")
