"""Dependencies that setuptools reads from files: ``setup.cfg``, and those of dynamic fields."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from .reading import Lines, Reading, Table, is_there, strings, table
from .requirement_files import read_file

SETUP_CFG = "setup.cfg"
_MAXIMUM_BYTES = 2**20
Stated = tuple[str, str]
"""A requirement and where it is stated."""


@dataclass(frozen=True)
class DeclaredProject:
    """A ``pyproject.toml`` whose ``[project]`` has what other files declare."""

    data: Table
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where requirements are stated that are not in the ``pyproject.toml``."""


@dataclass(frozen=True)
class SetupCfg:
    """A ``setup.cfg``."""

    sections: configparser.RawConfigParser
    text: str
    path: Path

    def value(self, section: str, key: str) -> str:
        return self.sections.get(section, key, fallback="").strip()

    def line(self, key: str) -> int:
        return Lines(self.text).key(key)

    @property
    def describes_project(self) -> bool:
        return bool(self.value("metadata", "name") or self.value("options", "install_requires"))


def read_setup_cfg(folder: Path) -> SetupCfg | None:
    """The ``setup.cfg`` in *folder*; None where there is none.

    Raises:
        SettingsError: it cannot be read.
    """
    path = folder / SETUP_CFG
    if not path.is_file():
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        content = path.read_bytes()
        if len(content) > _MAXIMUM_BYTES:
            raise SettingsError(f"{path} is larger than {_MAXIMUM_BYTES >> 20} MiB")
        text = content.decode("utf-8")
        parser.read_string(text)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        why = (str(error).splitlines() or [""])[0][:200]
        raise SettingsError(f"{path} cannot be read", why=why) from None
    return SetupCfg(parser, text, path)


def declared_project(folder: Path, data: Table, reading: Reading) -> DeclaredProject:
    """The project in *folder*, whose ``pyproject.toml`` says *data*, with all that is declared.

    Nothing of it is run: what a ``setup.py`` adds stays dynamic.

    Raises:
        SettingsError: a file that has to be read cannot be.
    """
    project = dict(table(data, "project"))
    dynamic = set(strings(project.get("dynamic")))
    if project and not dynamic & {"dependencies", "optional-dependencies"}:
        return DeclaredProject(data)
    cfg = None if "poetry" in table(data, "tool") else read_setup_cfg(folder)
    if not project:
        if cfg is None or not cfg.describes_project:
            return DeclaredProject(data)
        project = {
            "name": cfg.value("metadata", "name") or folder.name,
            "version": cfg.value("metadata", "version"),
        }
        dynamic = {"dependencies", "optional-dependencies"}
    origins: dict[str, str] = {}
    if "dependencies" in dynamic:
        stated = _dependencies(folder, data, cfg, reading)
        if stated is not None and not _script_adds(folder):
            dynamic.discard("dependencies")
        project["dependencies"] = [text for text, _ in stated or ()]
        origins |= dict(stated or ())
    if "optional-dependencies" in dynamic:
        extras = dict(_extras(folder, data, cfg, reading))
        project["optional-dependencies"] = {
            name: [text for text, _ in stated] for name, stated in extras.items()
        }
        origins |= {text: origin for stated in extras.values() for text, origin in stated}
    return DeclaredProject({**data, "project": {**project, "dynamic": sorted(dynamic)}}, origins)


def _script_adds(folder: Path) -> bool:
    """Whether a ``setup.py`` may name further dependencies."""
    try:
        return "install_requires" in (folder / "setup.py").read_text("utf-8", "replace")
    except OSError:
        return False


def _dependencies(
    folder: Path, data: Table, cfg: SetupCfg | None, reading: Reading
) -> Sequence[Stated] | None:
    """What is declared; None where nothing is, or where it cannot be read."""
    dynamic = table(data, "tool", "setuptools", "dynamic", "dependencies")
    if "file" in dynamic:
        return _of_files(folder, strings(dynamic["file"]), reading)
    if cfg is None:
        return None
    if not cfg.sections.has_option("options", "install_requires"):
        # Without it, a setup.cfg that describes the project says that there are none.
        return () if cfg.describes_project and not (folder / "setup.py").is_file() else None
    return _of_cfg(folder, cfg, "options", "install_requires", reading)


def _extras(
    folder: Path, data: Table, cfg: SetupCfg | None, reading: Reading
) -> Iterator[tuple[str, Sequence[Stated]]]:
    dynamic = table(data, "tool", "setuptools", "dynamic", "optional-dependencies")
    for name, value in dynamic.items():
        yield name, _of_files(folder, strings(table(value).get("file")), reading) or ()
    section = "options.extras_require"
    if not dynamic and cfg is not None and cfg.sections.has_section(section):
        for name in cfg.sections.options(section):
            yield name, _of_cfg(folder, cfg, section, name, reading) or ()


def _of_cfg(
    folder: Path, cfg: SetupCfg, section: str, key: str, reading: Reading
) -> Sequence[Stated] | None:
    value = cfg.value(section, key)
    if value.startswith("file:"):
        names = [name.strip() for name in value.removeprefix("file:").split(",")]
        return _of_files(folder, names, reading)
    entries = value.splitlines() if "\n" in value else value.split(";")
    texts = [entry.strip() for entry in entries]
    origin = reading.origin(cfg.path, cfg.line(key))
    return [(text, origin) for text in texts if text and not text.startswith("#")]


def _of_files(folder: Path, names: Sequence[str], reading: Reading) -> Sequence[Stated] | None:
    """Requirements in files below *folder*; None where one is elsewhere or missing."""
    stated: list[Stated] = []
    top = folder.resolve()
    for name in names:
        place = folder / name
        if not is_there(place, lambda path: path.resolve().is_relative_to(top) and path.is_file()):
            return None
        file = read_file(place, {}, top)
        stated += (
            (re.sub(r"\s+", " ", line.text), reading.origin(place, line.number))
            for line in file.requirements()
        )
    return stated
