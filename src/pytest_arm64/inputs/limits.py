"""What a project says about where it runs: its Python versions and its environments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..config.poetry_constraint import poetry_specifier
from ..inside.regular_file import read_regular_text
from .declared import read_setup_cfg
from .reading import Lines, Reading, Table, strings, table

PYTHON_VERSION = ".python-version"
_VERSION = re.compile(r"(?:cpython-?|python-?)?(3\.\d{1,3})(?:\.\d+)?\Z", re.IGNORECASE)


@dataclass(frozen=True)
class PythonLimit:
    """Python versions that the project admits."""

    specifier: str
    """PEP 440."""
    origin: str
    """Where it is said."""
    pinned: bool = False
    """By ``.python-version``, which says what developers use."""


def python_limits(folder: Path, reading: Reading) -> Iterator[PythonLimit]:
    """What the files in *folder* say about Python."""
    file = reading.toml.find(folder / "pyproject.toml")
    data: Table = file.data if file is not None else {}
    lines = Lines(file.text if file is not None else "")
    project, poetry = table(data, "project"), table(data, "tool", "poetry", "dependencies")
    for key, value, specifier in (
        ("requires-python", project.get("requires-python"), str),
        ("python", poetry.get("python"), lambda text: str(poetry_specifier(text))),
    ):
        if isinstance(value, str) and specifier(value):
            origin = reading.origin(folder / "pyproject.toml", lines.key(key))
            yield PythonLimit(specifier(value), origin)
            break
    else:
        yield from _setup_cfg(folder, reading, project)
    yield from _python_version(folder, reading)


def _setup_cfg(folder: Path, reading: Reading, project: Table) -> Iterator[PythonLimit]:
    dynamic = "requires-python" in strings(project.get("dynamic"))
    cfg = read_setup_cfg(folder) if dynamic or not project else None
    value = cfg.value("options", "python_requires") if cfg is not None else ""
    if cfg is not None and value:
        yield PythonLimit(value, reading.origin(cfg.path, cfg.line("python_requires")))


def _python_version(folder: Path, reading: Reading) -> Iterator[PythonLimit]:
    for place in dict.fromkeys((folder, reading.root)):
        try:
            lines = read_regular_text(place / PYTHON_VERSION).splitlines()
        except (OSError, ValueError):
            continue
        for number, line in enumerate(lines, 1):
            version = _VERSION.match(line.partition("#")[0].strip())
            if version:
                origin = reading.origin(place / PYTHON_VERSION, number)
                yield PythonLimit(f"=={version[1]}.*", origin, pinned=True)
                return


def uv_environments(folder: Path, reading: Reading) -> tuple[str, ...]:
    """Markers of ``[tool.uv] environments``: uv locks for these alone. Empty for all."""
    data = reading.toml.data(folder / "pyproject.toml")
    return tuple(strings(table(data, "tool", "uv").get("environments")))
