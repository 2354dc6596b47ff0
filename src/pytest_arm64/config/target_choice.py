"""Which targets a run or a command is for: those that are named, else the project's own."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import SettingsError
from ..inside.regular_file import read_regular_text
from .boundary import check_inside
from .project_files import ProjectFiles
from .targets import (
    DEFAULT_PYTHON,
    Target,
    allows_minor,
    find_target,
    own_target,
    shipped_targets,
)

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

# As pyenv and uv write it: 3.12, 3.12.4, 3.13-dev, 3.13.0rc1, cpython-3.12, cpython@3.12.
_PYTHON_VERSION = re.compile(r"(?:c?python[-@]?)?(3\.\d+)(?![\dt])", re.IGNORECASE)


def chosen_target(name: str, files: ProjectFiles, environ: Mapping[str, str]) -> Target:
    """The target called *name*, else the one of the variable or the project.

    Raises:
        SettingsError: there is no such target.
    """
    return find_target(wanted_target(name, files, environ), own_targets(files))


def chosen_targets(
    names: Sequence[str], files: ProjectFiles, environ: Mapping[str, str]
) -> Sequence[Target]:
    """The targets called *names*, each of which may be several with commas; else as above.

    A name with wildcards stands for every target that it matches.

    Raises:
        SettingsError: there is no such target.
    """
    own = own_targets(files)
    wanted = wanted_target(",".join(names), files, environ)
    listed = dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip())
    if not listed:
        raise SettingsError(
            f"--target {wanted!r} names no target",
            next_step="choose one of " + ", ".join(sorted({**shipped_targets(), **own})),
        )
    known = {**shipped_targets(), **own}
    matched = [fnmatch.filter(known, name) or [name] for name in listed]
    return [find_target(name, own) for name in dict.fromkeys(chain(*matched))]


def default_target(files: ProjectFiles) -> str:
    """Name of the target that the repository asks for, so that two machines agree.

    ``.python-version`` decides, then ``requires-python`` or Poetry's ``python`` (Python 3.12 if it
    is allowed, else the lowest that is), then Python 3.12.
    """
    prefix = "al2023-python"
    packaged = [n.removeprefix(prefix) for n in shipped_targets() if n.startswith(prefix)]
    try:
        lines = read_regular_text(files.rootpath / ".python-version").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    words = [word for line in lines for word in line.partition("#")[0].split()]
    version = _PYTHON_VERSION.match(words[0]) if words else None
    if version and version[1] in packaged:
        return prefix + version[1]
    allowed = _requires_python(files)
    fitting = [minor for minor in packaged if allowed is None or allows_minor(allowed, minor)]
    if DEFAULT_PYTHON in fitting or not fitting:
        return prefix + DEFAULT_PYTHON
    return prefix + fitting[0]


def wanted_target(name: str, files: ProjectFiles, environ: Mapping[str, str]) -> str:
    """*name*, else that of the variable, of the table or of what the project's Python says."""
    wanted = target_of_all(name, environ) or files.table.get("target")
    return wanted or default_target(files)


def target_of_all(name: str, environ: Mapping[str, str]) -> str:
    """*name* or that of the variable, which count for every service; empty without both."""
    return name or environ.get("PYTEST_ARM64_TARGET", "")


def own_targets(files: ProjectFiles) -> Mapping[str, Target]:
    """The targets that *files* declare, the user's own file included.

    Raises:
        SettingsError: one cannot be used.
    """
    targets = {}
    for name, table in {**files.user.targets, **files.table.get("targets", {})}.items():
        if not isinstance(table, dict):
            raise SettingsError(f"[tool.pytest-arm64.targets] {name} must be a table")
        target = targets[name] = own_target(name, table, files.rootpath)
        if target.facts_file is not None:
            where = f"{files.manifest}: [tool.pytest-arm64.targets.{name}] facts"
            check_inside(target.facts_file, files.manifest, files.root, where)
    return targets


def _requires_python(files: ProjectFiles) -> SpecifierSet | None:
    from packaging.specifiers import SpecifierSet

    asked = files.metadata.get("requires-python")
    if asked is None:
        return _poetrys_python(files)
    try:
        return SpecifierSet(asked) if isinstance(asked, str) else None
    except ValueError:
        return None


def _poetrys_python(files: ProjectFiles) -> SpecifierSet | None:
    """``python`` of ``[tool.poetry.dependencies]``; None where it limits nothing."""
    listed: object = files.toml.data(files.manifest)
    for key in ("tool", "poetry", "dependencies", "python"):
        listed = listed.get(key) if isinstance(listed, dict) else None
    if not isinstance(listed, str):
        return None
    from .poetry_constraint import poetry_specifier

    return poetry_specifier(listed) or None
