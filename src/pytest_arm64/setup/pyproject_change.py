"""The proposal as a change of ``pyproject.toml``: shown as a diff, written where that is asked."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..config._toml import TOMLDecodeError, loads
from ..config.project_files import read_project_files, repository_root
from ..config.services import ServiceConfig, read_services
from ..errors import SettingsError
from ..inside.regular_file import read_regular
from ..open_folder import write_inside
from .proposed_services import Proposed

NAME = "pyproject.toml"
_HEADER = re.compile(r"^\[tool\.pytest-arm64\][^\r\n]*", re.MULTILINE)


@dataclass(frozen=True)
class PyprojectChange:
    """What ``pyproject.toml`` is, and what it would be."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        """As ``diff -u`` shows it; empty where nothing changes."""
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            f"a/{NAME}",
            f"b/{NAME}",
        )
        return "".join(lines)

    def write(self) -> None:
        """Write it.

        Raises:
            SettingsError: it cannot be written.
        """
        try:
            write_inside(repository_root(self.path.parent), self.path, self.after.encode())
        except OSError as error:
            raise SettingsError(f"{self.path} cannot be written: {error.strerror}") from None


def change_of(root: Path, services: Iterable[Proposed]) -> PyprojectChange:
    """``pyproject.toml`` of *root* with tables for those of *services* that it has not yet.

    What is there is left as it is.

    Raises:
        SettingsError: the file cannot be read, or tables cannot be added to what is in it.
    """
    path = root / NAME
    try:
        # Line ends stay what they are.
        before = read_regular(path).decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    files = read_project_files(root)
    configured = read_services(files)
    missing = [service for service in services if not _is_known(service, root, configured)]
    target = "" if "target" in files.table else _target_of(missing)
    if not missing:
        return PyprojectChange(path, before, before)
    end = "\r\n" if "\r\n" in before else "\n"
    line = f'target = "{target}"'
    with_target = (
        _HEADER.sub(lambda header: f"{header[0]}{end}{line}", before) if target else before
    )
    tables = [service.table(target or files.table.get("target", "")) for service in missing]
    if target and with_target == before:
        tables.insert(0, f"[tool.pytest-arm64]\n{line}\n")
    gap = "" if not before else end if before.endswith("\n") else 2 * end
    after = with_target + gap + "\n".join(tables).replace("\n", end)
    try:
        loads(after)
    except TOMLDecodeError as error:
        raise SettingsError(
            f"services cannot be added to {path}: {error}",
            next_step="add the tables by hand:\n\n" + "\n".join(tables),
        ) from None
    return PyprojectChange(path, before, after)


def _target_of(services: Iterable[Proposed]) -> str:
    """The target of all *services* that name one; empty where they name none, or several."""
    targets = {service.target for service in services if service.target}
    return targets.pop() if len(targets) == 1 else ""


def _is_known(service: Proposed, root: Path, configured: Iterable[ServiceConfig]) -> bool:
    manifest = root / service.requirements
    return any(
        service.name == other.name
        or manifest in other.requirements
        or (not other.named and manifest.parent == other.folder)
        for other in configured
    )
