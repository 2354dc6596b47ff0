"""What coverage measured where the tests run on a copy of the project, brought to the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from ..environment.tree import RESULTS
from ..errors import Arm64Error
from ..mirror.transport import Transport
from ..open_folder import OpenFolder
from ..temporary import temporary_folder

DATA = ".coverage"


def kept_outside_of_the_copy() -> Mapping[str, str]:
    """Variables that have coverage write where what tests leave is fetched from."""
    return {"COVERAGE_FILE": f"{RESULTS}/{DATA}"}


class CopiedCoverage:
    """Registered where the mirrored session has a copy; paths in there are the project's own."""

    @pytest.hookimpl
    def pytest_arm64_finished(self, config: pytest.Config, mirrored: Transport) -> None:
        with temporary_folder() as results:
            mirrored.fetch(results)
            files = [path for path in results.glob(f"{DATA}*") if path.is_file()]
            try:
                with OpenFolder(Path(config.invocation_params.dir)) as folder:
                    for path in files:
                        folder.write(path.name, path.read_bytes())
            except OSError as error:
                raise Arm64Error(f"coverage data cannot be saved: {error}") from None


def bring_coverage(config: pytest.Config, *, copied: bool) -> None:
    """Have coverage data come to the project where the session has a copy of it."""
    name = "arm64-coverage"
    if copied and not config.pluginmanager.hasplugin(name):
        config.pluginmanager.register(CopiedCoverage(), name)
