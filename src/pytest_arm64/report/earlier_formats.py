"""Reports of earlier versions, whose sentences said what has fields of its own today.

This is the only place where a sentence is read. It changes the JSON before it is decoded, so that
every decision reads values; what a report says itself is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..decide.evidence import X86_BOUNDARY

Record = Mapping[str, object]
_DEATH = "the process that ran this test died"
_OF_ANOTHER_PACKAGE = ", which asks for "


def completed(report: object) -> object:
    """*report* as JSON, with the fields that its version did not have."""
    return _each(report, "services", _service) if isinstance(report, Mapping) else report


def _service(service: Record) -> Record:
    matrix = service.get("matrix")
    if isinstance(matrix, Mapping):
        service = {**service, "matrix": _each(matrix, "packages", _row)}
    return _each(_each(service, "findings", _finding), "runs", _run)


def _row(row: Record) -> Record:
    fix = row.get("remedy")
    if not isinstance(fix, Mapping) or fix.get("own") is not None:
        return row
    held = fix.get("held_by")
    own = isinstance(held, list) and not any(_OF_ANOTHER_PACKAGE in str(who) for who in held)
    return {**row, "remedy": {**fix, "own": own}}


def _finding(finding: Record) -> Record:
    cause, colon, rest = str(finding.get("text")).partition(": ")
    if finding.get("kind") != "abi" or "cause" in finding or not colon:
        return finding
    return {**finding, "cause": cause, "path": rest.partition(": ")[0]}


def _run(run: Record) -> Record:
    return _each({"bounded": run.get("part") == X86_BOUNDARY, **run}, "tests", _test)


def _test(test: Record) -> Record:
    return {"died": str(test.get("text")).lstrip().startswith(_DEATH), **test}


def _each(record: Record, key: str, change: Callable[[Record], Record]) -> Record:
    """*record* with each entry of the list at *key* changed; what is of another type is not."""
    entries = record.get(key)
    if not isinstance(entries, list):
        return record
    changed = [change(entry) if isinstance(entry, Mapping) else entry for entry in entries]
    return {**record, key: changed}
