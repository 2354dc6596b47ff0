"""Has ``--junitxml`` written where no test can have left a link, and moves it into place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..errors import SettingsError
from ..mirror.pytest_internals import junit_recorders
from ..open_folder import OpenFolder
from ..temporary import temporary_folder

if TYPE_CHECKING:
    from _pytest.junitxml import LogXML

    from .host import HostPlugin


class JunitFile:
    """Registered after pytest's own plugin, whose file it moves at the end of the session."""

    def __init__(self, config: pytest.Config, host: HostPlugin) -> None:
        """Open the folder of the file before the first test.

        Raises:
            SettingsError: it cannot be opened or created.
        """
        self._host = host
        self._files = [(recorder, _opened(recorder)) for recorder in junit_recorders(config)]

    # Within the terminal's wrapper, which names the file when this one has ended.
    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        with temporary_folder() as written_to:
            places = [recorder.logfile for recorder, _ in self._files]
            for number, (recorder, _) in enumerate(self._files):
                recorder.logfile = str(written_to / f"{number}.xml")
            yield
            for place, (recorder, folder) in zip(places, self._files, strict=True):
                written, recorder.logfile = Path(recorder.logfile), place
                self._move(session, written, Path(place), folder)

    def _move(
        self, session: pytest.Session, written: Path, place: Path, folder: OpenFolder
    ) -> None:
        if not written.exists():
            return
        try:
            folder.write(place.name, written.read_bytes())
        except OSError as error:
            self._host.problems.append(f"{place} was not written: {error.strerror}")
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED
        finally:
            folder.close()


def _opened(recorder: LogXML) -> OpenFolder:
    place = Path(recorder.logfile)
    try:
        return OpenFolder(place.parent)
    except OSError as error:
        raise SettingsError(
            f"--junitxml {place}: the folder cannot be opened: {error.strerror}",
            next_step="name another folder",
        ) from None
