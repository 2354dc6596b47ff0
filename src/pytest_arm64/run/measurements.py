"""Measurements of all cells of a session: taken from their results, shown, and kept if asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ProtocolError, ReportError
from ..inside.measure.record import FOLDER, Measured
from ..mirror.transport import Transport
from ..open_folder import OpenFolder
from ..report.measurements import MeasureSummary
from ..temporary import temporary_folder
from .unseen_session import CellResult

FILE = "measurements.json"
FORMAT = 1
MOST_BYTES = 64 << 20


class HostMeasurements:
    """Adds what silent cells have measured to the table; writes ``measurements.json``."""

    def __init__(self, summary: MeasureSummary, folder: OpenFolder | None) -> None:
        self._summary = summary
        self._folder = folder
        self._found: list[Measured] = []

    def pytest_arm64_cell(self, result: CellResult) -> None:
        measured = list(measured_below(result.out))
        self._found += measured
        self._summary.add(measured)

    def pytest_arm64_finished(self, mirrored: Transport) -> None:
        if self._folder is None:
            return
        with temporary_folder() as out:
            mirrored.fetch(out)
            self._found += measured_below(out)
        if self._found:
            with writing(FILE):
                self._folder.write(FILE, encoded_measurements(self._found))


def measured_below(out: Path) -> Iterator[Measured]:
    """What a cell has left in *out*, in the order of its tests' node ids.

    Raises:
        ProtocolError: a file there is not one of the fixture's.
    """
    records = []
    for path in sorted((out / FOLDER).glob("*.json")):
        if path.stat().st_size > MOST_BYTES:
            raise ProtocolError(f"{FOLDER}/{path.name} is larger than {MOST_BYTES >> 20} MiB")
        try:
            records.append(Measured.decode(path.read_text("utf-8")))
        except (ValueError, OSError) as error:
            raise ProtocolError(
                f"{FOLDER}/{path.name} in the cell's results is not a measurement: {error}",
                next_step="let nothing but arm64_measure write to that folder",
            ) from None
    # The same test again (a repetition, a rerun) takes the place of what it said before.
    return iter(
        {record.test: record for record in sorted(records, key=lambda record: record.test)}.values()
    )


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Raise what keeps *name* from being written into the report's folder as a ReportError."""
    try:
        yield
    except OSError as error:
        raise ReportError(
            f"{name} cannot be written: {error.strerror}",
            next_step="name another folder: --arm64-report DIR",
        ) from None


def encoded_measurements(measured: list[Measured]) -> bytes:
    """All values of all cells as ``measurements.json`` has them, which ``cost`` reads."""
    document: dict[str, object] = {
        "format": FORMAT,
        "measured": [record.to_json() for record in measured],
    }
    return (json.dumps(document, indent=1) + "\n").encode()
