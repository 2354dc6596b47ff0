"""Dependencies that are declared outside of ``[project]``: ``setup.cfg``, ``setup.py``, files."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config.boundary import is_there
from ..errors import SettingsError
from ..inside.regular_file import read_regular
from .reading import Lines, Reading, Table, strings, table
from .requirement_files import read_file
from .setup_script import MAXIMUM_BYTES, SetupScript, read_setup_script

SETUP_CFG, SETUP_PY = "setup.cfg", "setup.py"
_MAXIMUM_BYTES = 2**20
Stated = tuple[str, str]
"""A requirement and where it is stated."""


@dataclass(frozen=True)
class DeclaredProject:
    """A ``pyproject.toml`` whose ``[project]`` has what other files declare."""

    data: Table
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where requirements are stated that are not in the ``pyproject.toml``."""
    computed_extras: frozenset[str] = frozenset()
    """Extras whose requirements a ``setup.py`` computes."""


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
    """The ``setup.cfg`` in *folder*; None where it is missing.

    Raises:
        SettingsError: it cannot be read.
    """
    path = folder / SETUP_CFG
    if not path.is_file():
        return None
    parser = configparser.RawConfigParser(strict=False)
    try:
        text = read_regular(path, _MAXIMUM_BYTES).decode("utf-8")
        parser.read_string(text)
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        why = (str(error).splitlines() or [""])[0][:200]
        raise SettingsError(f"{path} cannot be read", why=why) from None
    return SetupCfg(parser, text, path)


def declared_project(folder: Path, data: Table, reading: Reading) -> DeclaredProject:
    """The project in *folder*, whose ``pyproject.toml`` says *data*, with all that is declared.

    Nothing of it is run: what a ``setup.py`` computes stays dynamic.

    Raises:
        SettingsError: a file that has to be read cannot be.
    """
    project = dict(table(data, "project"))
    dynamic = set(strings(project.get("dynamic")))
    if project and not dynamic & {"dependencies", "optional-dependencies"}:
        return DeclaredProject(data)
    poetry = "poetry" in table(data, "tool")
    cfg = None if poetry else read_setup_cfg(folder)
    script = None if poetry else read_script(folder)
    if not project:
        if not describes_project(cfg, script):
            return DeclaredProject(data)
        project = _identity(folder, cfg, script)
        dynamic = {"dependencies", "optional-dependencies"}
    origins: dict[str, str] = {}
    scripted = _of_script(folder, script, reading)
    if "dependencies" in dynamic:
        stated = (scripted or {}).get("") or _dependencies(folder, data, cfg, reading)
        if stated is None and scripted is not None and script is not None:
            stated = ()  # the script says that there are none
        if stated is not None and (script is None or scripted is not None):
            dynamic.discard("dependencies")
        project["dependencies"] = [text for text, _ in stated or ()]
        origins |= dict(stated or ())
    if "optional-dependencies" in dynamic:
        extras = dict(_extras(folder, data, cfg, reading))
        extras |= {extra: stated for extra, stated in (scripted or {}).items() if extra}
        project["optional-dependencies"] = {
            name: [text for text, _ in stated] for name, stated in extras.items()
        }
        origins |= {text: origin for stated in extras.values() for text, origin in stated}
    static = {**data, "project": {**project, "dynamic": sorted(dynamic)}}
    computed = script.values.computed_extras if script is not None else frozenset()
    return DeclaredProject(static, origins, computed)


def describes_project(cfg: SetupCfg | None, script: SetupScript | None) -> bool:
    """Whether *cfg* or *script* says what setuptools is to build."""
    return (cfg is not None and cfg.describes_project) or (
        script is not None and script.describes_project
    )


def _identity(folder: Path, cfg: SetupCfg | None, script: SetupScript | None) -> dict[str, object]:
    """Name and version as ``setup.py`` or ``setup.cfg`` says them, the name only where one does."""
    version = _said("version", cfg, script)
    name = _said("name", cfg, script) or (folder.name if script is None else "")
    return {"name": name, "version": version} if name else {"version": version}


def _said(key: str, cfg: SetupCfg | None, script: SetupScript | None) -> str:
    value = script.values.of(key) if script is not None else ""
    value = value if isinstance(value, str) else ""
    return value or (cfg.value("metadata", key) if cfg is not None else "")


def read_script(folder: Path) -> SetupScript | None:
    """The ``setup.py`` in *folder*; None where it is missing."""
    if not is_there(folder / SETUP_PY, Path.is_file):
        return None
    try:
        with (folder / SETUP_PY).open("rb") as stream:
            source = stream.read(MAXIMUM_BYTES + 1)
        return read_setup_script(source, (entry.name for entry in folder.iterdir()))
    except OSError:
        return None


def _of_script(
    folder: Path, script: SetupScript | None, reading: Reading
) -> dict[str, Sequence[Stated]] | None:
    """What *script* states, by extra; None where it computes what it requires."""
    stated = script.requires if script is not None else ()
    if stated is None:
        return None
    path = folder / SETUP_PY
    lines = Lines(path.read_text("utf-8", "replace") if stated else "")
    by_extra: dict[str, list[Stated]] = {}
    for extra, text in stated:
        origin = reading.origin(path, lines.stating(text))
        by_extra.setdefault(extra, []).append((text, origin))
    return dict(by_extra)


def _dependencies(
    folder: Path, data: Table, cfg: SetupCfg | None, reading: Reading
) -> Sequence[Stated] | None:
    """What files declare; None where nothing does, or where it cannot be read."""
    dynamic = table(data, "tool", "setuptools", "dynamic", "dependencies")
    if "file" in dynamic:
        return _of_files(folder, strings(dynamic["file"]), reading)
    if cfg is None:
        return None
    if not cfg.sections.has_option("options", "install_requires"):
        # Without it, a setup.cfg that describes the project says that there are none.
        return () if cfg.describes_project else None
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
