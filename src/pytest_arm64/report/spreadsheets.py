"""A report as tables for a spreadsheet: a row for each service, and one for each package."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime, time
from typing import NamedTuple

from ..audit.matrix import Row
from ..decide.evidence import ServiceEvidence
from ..decide.verdict import MIGRATE, Verdict, best_run
from ..errors import ReportError
from .document import Report
from .matrix_output import printable
from .view import Card, cards

WORKBOOK = "report.xlsx"
# What a spreadsheet may take for the beginning of a formula, also in full width. Source: OWASP,
# "CSV Injection", read 2026-11-30; tabulators and line breaks are gone already.
# Where a comma is the decimal point, a semicolon separates cells, within quotation marks too.
_FORMULA = re.compile("(^|;)(\\s*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_LONGEST = 32_000
"""Characters of a cell; Excel has 32,767."""
Cell = str | int | float


class Table(NamedTuple):
    """One sheet; an empty text stands for what is not known."""

    title: str
    header: tuple[str, ...]
    rows: list[tuple[Cell, ...]]


def services(report: Report) -> Table:
    """Verdict, what is in the way, counts, money and place of each service."""
    header = (
        *("service", "group", "verdict", "evidence", "compatible", "in the way", "next step"),
        *("packages", "packages not ready", "tests passed", "tests failed"),
        *("USD a month", "estimated savings", "target", "ran on", "date"),
    )
    evidence = zip(report.services, report.verdicts, cards(report), strict=True)
    return Table("services", header, [_service(report, *parts) for parts in evidence])


def packages(report: Report) -> Table:
    """Each package of each service, as its wheel matrix predicts it."""
    header = ("service", "package", "version", "scope", "state", "cause", "fix", "needed by")
    return Table("packages", header, list(_packages(report)))


def csv_text(report: Report) -> str:
    """The services as CSV, in which no text begins as a formula does."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    table = services(report)
    writer.writerow(table.header)
    writer.writerows([_harmless(cell) for cell in row] for row in table.rows)
    return stream.getvalue()


def workbook(report: Report) -> bytes:
    """Services and packages as an Excel workbook; every text is a text, never a formula.

    Raises:
        ReportError: XlsxWriter is not installed.
    """
    try:
        import xlsxwriter
    except ImportError:
        raise ReportError(
            "--format xlsx needs XlsxWriter, which is not installed",
            next_step="pip install 'pytest-arm64[xlsx]', or use --format csv",
        ) from None
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.set_properties({"created": datetime.combine(report.day, time())})
        bold = book.add_format({"bold": True})
        for table in (services(report), packages(report)):
            sheet = book.add_worksheet(table.title)
            for column, name in enumerate(table.header):
                sheet.write_string(0, column, name, bold)
            for line, row in enumerate(table.rows, 1):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(line, column, cell)
                    else:
                        sheet.write_number(line, column, cell)
            sheet.freeze_panes(1, 1)
            sheet.autofilter(0, 0, len(table.rows), len(table.header) - 1)
            sheet.autofit()
    return stream.getvalue()


def _service(
    report: Report, service: ServiceEvidence, verdict: Verdict, card: Card
) -> tuple[Cell, ...]:
    rows = service.matrix.deployed if service.matrix is not None else None
    arm = [run for run in service.runs if run.where.on_arm and not run.bounded]
    run = best_run(service, report.day) or (arm[-1] if arm else None)
    count = run.count() if run is not None else None
    return (
        _text(service.name),
        _text(service.group),
        verdict.verdict,
        card.grade,
        "yes" if verdict.compatible else "no",
        "" if verdict.verdict == MIGRATE else _text("; ".join(verdict.reasons)),
        _text(verdict.next_step),
        "" if rows is None else len(rows),
        "" if rows is None else sum(not row.green for row in rows),
        "" if count is None else count["passed"],
        "" if count is None else count["failed"] + count["error"],
        "" if service.monthly_cost is None else service.monthly_cost,
        _text("; ".join(f"{cost.title}: {cost.month}" for cost in card.costs if cost.month)),
        _text(report.target_of(service)),
        _text("; ".join(dict.fromkeys(run.where for run in card.runs))),
        report.day.isoformat(),
    )


def _packages(report: Report) -> Iterator[tuple[Cell, ...]]:
    for service in report.services:
        for row in service.matrix.packages if service.matrix is not None else ():
            yield _package(service.name, row)


def _package(service: str, row: Row) -> tuple[Cell, ...]:
    cause = ": ".join(filter(None, (row.cause, row.detail)))
    fix = row.remedy.text if row.remedy is not None else ""
    words = (service, row.name, row.version, row.scope, row.state)
    return tuple(map(_text, (*words, cause, fix, " → ".join(row.path))))


def _text(text: str) -> str:
    return printable(text)[:_LONGEST]


def _harmless(cell: Cell) -> Cell:
    return _FORMULA.sub(r"\1\2'", cell) if isinstance(cell, str) else cell
