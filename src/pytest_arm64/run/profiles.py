"""Profiles of all cells of a session: taken from their results, shown, and kept if asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ProtocolError
from ..inside.measure.profile_record import FOLDER, Profile, merged
from ..mirror.transport import Transport
from ..open_folder import OpenFolder
from ..report.hotspots import hotspot_lines
from ..temporary import temporary_folder
from .measurements import writing
from .unseen_session import CellResult

if TYPE_CHECKING:
    import pytest

FILE = "profile.json"
FORMAT = 1
MOST_BYTES = 16 << 20


class HostProfiles:
    """Shows the hot spots of all cells; writes ``profile.json``."""

    def __init__(self, folder: OpenFolder | None) -> None:
        self._folder = folder
        self._found: list[Profile] = []

    def pytest_arm64_cell(self, result: CellResult) -> None:
        self._found += profiles_below(result.out)

    def pytest_arm64_finished(self, mirrored: Transport) -> None:
        with temporary_folder() as out:
            mirrored.fetch(out)
            self._found = merged([*self._found, *profiles_below(out)])
        if self._folder is not None and self._found:
            document = {
                "format": FORMAT,
                "profiles": [profile.to_json() for profile in self._found],
            }
            with writing(FILE):
                self._folder.write(FILE, (json.dumps(document, indent=1) + "\n").encode())

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in hotspot_lines(self._found) if self._found else ():
            terminalreporter.line(line)


def profiles_below(out: Path) -> Iterator[Profile]:
    """What a cell has left in *out*.

    Raises:
        ProtocolError: a file there is not one of ours.
    """
    for path in sorted((out / FOLDER).glob("*.json")):
        try:
            if path.stat().st_size > MOST_BYTES:
                raise ProtocolError(f"{FOLDER}/{path.name} is larger than {MOST_BYTES >> 20} MiB")
            yield Profile.decode(path.read_text("utf-8"))
        except (ValueError, OSError) as error:
            raise ProtocolError(
                f"{FOLDER}/{path.name} in the cell's results is not a profile: {error}",
                next_step="let no test write to that folder",
            ) from None
