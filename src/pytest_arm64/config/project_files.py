"""A project's ``pyproject.toml``: its tables, checked, and the repository that it lies in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ._toml import Table
from .suggestions import suggestion
from .toml_files import TomlFiles
from .user_file import UserFile, read_user_file

NAME = "pyproject.toml"
_Types = type | tuple[type, ...]
SERVICE_KEYS: dict[str, _Types] = {
    "artifact": str,
    "target": str,
    "package": str,
    "requirements": (str, list),
    "test-requirements": (str, list),
    "tests": (str, list),
    "memory": str,
    "shm-size": str,
    "tmp-size": str,
    "lambda-code": str,
    "handler": str,
    "lambda-timeout": (int, float),
    "system-packages": dict,
    "env": list,
    "network": str,
    "monthly-cost": (int, float),
    "boundary": dict,
    "group": str,
}
"""What a folder, or a table of its own, says of a service."""
_KEYS: dict[str, _Types] = {
    **SERVICE_KEYS,
    "image": str,
    "cpu": str,
    "install": str,
    "targets": dict,
    "installer": str,
    "lambda-limits": bool,
    "build-network": bool,
    "build-timeout": (int, float),
    "cross": str,
    "record-emulated": bool,
    "services": list,
    "service": dict,
    "allow-source": list,
    "allow-advisory": list,
    "advisories": list,
}
# Lists of tables, which are checked where they are read.
_TABLE_LISTS = ("allow-source", "allow-advisory")


_TYPE_NAMES: dict[_Types, str] = {
    str: "a string",
    list: "a list",
    (str, list): "a string or a list of strings",
    (int, float): "a number",
    dict: "a table",
    bool: "true or false",
}


def type_name(types: _Types) -> str:
    """What a value of one of *types* is called in TOML."""
    return _TYPE_NAMES[types]


@dataclass(frozen=True)
class ProjectFiles:
    """What the files of a project say, before any option counts."""

    rootpath: Path
    """The project's folder: pytest's rootdir, or where the command was started."""
    root: Path
    """The repository's: what is mounted, and where the baseline lies."""
    toml: TomlFiles = field(compare=False, repr=False)
    """Every TOML file of the run, read once."""
    table: Table = field(default_factory=dict)
    """``[tool.pytest-arm64]``, with known keys and values of their types; empty if absent."""
    metadata: Table = field(default_factory=dict)
    """``[project]``; empty if absent."""
    user: UserFile = field(default_factory=UserFile)
    """The user's own file, which lies outside of the repository."""

    @property
    def manifest(self) -> Path:
        """Its ``pyproject.toml``, whether it exists or not."""
        return self.rootpath / NAME

    @property
    def configures_services(self) -> bool:
        """Whether it names services, rather than being one itself."""
        return "service" in self.table or "services" in self.table

    def at(self, folder: Path) -> ProjectFiles:
        """Those of another *folder* of the same repository.

        Raises:
            SettingsError: as ``read_project_files``.
        """
        if folder == self.rootpath:
            return self
        tables = _tables(folder / NAME, self.toml)
        return ProjectFiles(folder, self.root, self.toml, *tables, self.user)


def read_project_files(rootpath: Path, toml: TomlFiles | None = None) -> ProjectFiles:
    """What the ``pyproject.toml`` at *rootpath* says; *toml* holds what was read already.

    Raises:
        SettingsError: not TOML, a key that does not exist, or a value of the wrong type.
    """
    toml = toml or TomlFiles()
    root = repository_root(rootpath)
    user = read_user_file(toml, root)
    return ProjectFiles(rootpath, root, toml, *_tables(rootpath / NAME, toml), user)


def repository_root(start: Path) -> Path:
    """The nearest folder at or above *start* with a ``.git``, else *start*.

    Raises:
        SettingsError: that folder is the file system's root, which is never mounted.
    """
    root = next((p for p in (start, *start.parents) if (p / ".git").exists()), start)
    if root == Path(root.anchor):
        raise SettingsError(
            f"the repository root would be {root}",
            why="the whole file system would be mounted into the container",
            next_step="run pytest in the project's folder, or give --rootdir",
        )
    return root


def _tables(manifest: Path, toml: TomlFiles) -> tuple[Table, Table]:
    """``[tool.pytest-arm64]``, checked, and ``[project]``."""
    data = toml.data(manifest)
    metadata = _table(data, "project", manifest)
    table = _table(_table(data, "tool", manifest), "pytest-arm64", manifest)
    for key, value in table.items():
        if key not in _KEYS:
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] has no key {key!r}{suggestion(key, _KEYS)}",
                next_step="known keys: " + ", ".join(sorted(_KEYS)),
            )
        if not isinstance(value, _KEYS[key]):
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] {key} = {value!r} has a wrong type",
                next_step=f"write {key} as {type_name(_KEYS[key])}",
            )
        entry_type = dict if key in _TABLE_LISTS else str
        if isinstance(value, list) and not all(isinstance(entry, entry_type) for entry in value):
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] {key} must be a list of "
                f"{'tables' if entry_type is dict else 'strings'}"
            )
    return table, metadata


def _table(parent: Table, key: str, manifest: Path) -> Table:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{manifest}: {key} = {value!r} must be a table")
    return value
