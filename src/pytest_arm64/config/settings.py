"""Settings of one run: option, then variable, then ``[tool.pytest-arm64]``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import SettingsError
from ..inside.options import CORES, INSTALLERS, cores, seconds
from ._toml import TOMLDecodeError, loads
from .artifact import IMAGE, Artifact, configured_artifact
from .targets import (
    DEFAULT_PYTHON,
    Target,
    allows_minor,
    find_target,
    own_target,
    shipped_targets,
    suggestion,
)

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

INSTALL_MODES = ("auto", "editable", "wheel", "none")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
# As pyenv and uv write it: 3.12, 3.12.4, 3.13-dev, 3.13.0rc1, cpython-3.12, cpython@3.12.
_PYTHON_VERSION = re.compile(r"(?:c?python[-@]?)?(3\.\d+)(?![\dt])", re.IGNORECASE)
_MEMORY = re.compile(r"([1-9]\d{0,6}) ?([MG])i?B", re.ASCII)


@dataclass(frozen=True)
class Settings:
    """What the user wants, complete and checked; nothing was looked at outside the files."""

    root: Path
    """Repository root: what is mounted, and where every relative path starts."""
    target: Target
    image: str = ""
    """Overrides the target's image; ``{arch}`` becomes arm64 or amd64."""
    cores: tuple[str, ...] = (CORES[0],)
    """Cores to run on: the first is shown, the others are gates."""
    reference: bool = False
    """Whether linux/amd64 runs first, to be compared with."""
    record: bool = False
    """Whether what linux/amd64 computes becomes the goldens."""
    record_emulated: bool = False
    """Whether an emulated x86 may record."""
    requirements: tuple[Path, ...] = ()
    test_requirements: tuple[Path, ...] = ()
    install: str = "auto"
    env: tuple[str, ...] = ()
    """``NAME=VALUE``, or ``NAME`` to take the host's value where it has one."""
    network: str = "bridge"
    refresh: bool = False
    offline: bool = False
    require_native: bool = False
    installer: str = INSTALLERS[0]
    """``plan`` unpacks what the audit resolved; ``pip`` runs inside."""
    timeout: float = 0.0
    """Seconds that a test may take, 0 for any."""
    memory: int = 0
    """Bytes of memory that the deployed service has, 0 for any."""
    artifact: Artifact | None = None
    """What is deployed, where it is built already: tests run in it as it is."""

    @property
    def base(self) -> str:
        """Reference of the image to begin with; ``{arch}`` becomes arm64 or amd64."""
        if self.artifact is not None and self.artifact.kind == IMAGE:
            return self.artifact.place
        return self.image or self.target.reference

    @property
    def core(self) -> str:
        """The core that is shown."""
        return self.cores[0]


class Options(Protocol):
    """The part of pytest's ``config.option`` that is read here."""

    arm64_target: str | None
    arm64_image: str | None
    arm64_cpu: str | None
    arm64_requirements: Sequence[str]
    arm64_refresh: bool
    arm64_offline: bool
    arm64_require_native: bool
    arm64_installer: str | None
    arm64_timeout: str | None
    arm64_compare: bool
    arm64_record: bool


@dataclass
class Unsaid:
    """``Options`` of somebody who gave none."""

    arm64_target: str | None = None
    arm64_image: str | None = None
    arm64_cpu: str | None = None
    arm64_requirements: Sequence[str] = ()
    arm64_refresh: bool = False
    arm64_offline: bool = False
    arm64_require_native: bool = False
    arm64_installer: str | None = None
    arm64_timeout: str | None = None
    arm64_compare: bool = False
    arm64_record: bool = False


_KEYS: dict[str, type | tuple[type, ...]] = {
    "target": str,
    "image": str,
    "artifact": str,
    "cpu": str,
    "requirements": (str, list),
    "test-requirements": (str, list),
    "install": str,
    "env": list,
    "network": str,
    "memory": str,
    "targets": dict,
    "installer": str,
    "record-emulated": bool,
    "services": list,
    "service": dict,
    # What a folder says of itself as a service: read by ``services``.
    "tests": (str, list),
    "monthly-cost": (int, float),
    "boundary": dict,
    "group": str,
    "allow-source": list,
}
# Lists of tables, which are checked where they are read.
_TABLE_LISTS = ("allow-source",)


def load_settings(
    options: Options, environ: Mapping[str, str], *, rootpath: Path, cwd: Path
) -> Settings:
    """Read and check everything the user said.

    Args:
        options: pytest's parsed options.
        environ: the host's environment variables.
        rootpath: pytest's rootdir; its ``pyproject.toml`` is read.
        cwd: what paths given as options are relative to.

    Raises:
        SettingsError: something cannot be used; the message names the place.
    """
    root = repository_root(rootpath)
    manifest = rootpath / "pyproject.toml"
    table, project = read_pyproject(manifest)
    own = {n: own_target(n, t) for n, t in _tables(table.get("targets", {}))}
    name = options.arm64_target or environ.get("PYTEST_ARM64_TARGET") or table.get("target")
    target = find_target(name or default_target(rootpath, project), own)
    if options.arm64_requirements:
        requirements = _files(options.arm64_requirements, cwd, "--arm64-requirements")
    else:
        requirements = _files(
            _listed(table.get("requirements", [])), rootpath, f"{manifest}: requirements"
        )
    install = table.get("install", "auto")
    if install not in INSTALL_MODES:
        raise SettingsError(f"{manifest}: install must be one of {', '.join(INSTALL_MODES)}")
    installer = options.arm64_installer or table.get("installer") or INSTALLERS[0]
    if installer not in INSTALLERS:
        raise SettingsError(
            f"unknown installer {installer!r}", next_step=f"choose one of {', '.join(INSTALLERS)}"
        )
    artifact = configured_artifact(table.get("artifact", ""), rootpath)
    if artifact is not None:
        if options.arm64_compare or options.arm64_record:
            raise no_x86_side(str(manifest))
        _check_installer(installer, manifest)
    image = options.arm64_image or environ.get("PYTEST_ARM64_IMAGE") or table.get("image", "")
    return Settings(
        root=root,
        target=target,
        image=image,
        cores=_cores(options.arm64_cpu or table.get("cpu") or CORES[0]),
        reference=options.arm64_compare or options.arm64_record,
        record=options.arm64_record,
        record_emulated=table.get("record-emulated", False),
        requirements=requirements,
        test_requirements=_files(
            _listed(table.get("test-requirements", [])),
            rootpath,
            f"{manifest}: test-requirements",
        ),
        install=install,
        env=tuple(checked_env(table.get("env", []), manifest)),
        network=table.get("network", "bridge"),
        refresh=options.arm64_refresh,
        offline=options.arm64_offline or _truth(environ.get("PYTEST_ARM64_OFFLINE", "")),
        require_native=options.arm64_require_native,
        installer=installer,
        timeout=_seconds(options.arm64_timeout),
        memory=memory_bytes(table.get("memory", ""), manifest),
        artifact=artifact,
    )


def no_x86_side(place: str) -> SettingsError:
    """The error of a comparison with what is built already, as it is told at *place*."""
    return SettingsError(
        f"{place}: artifact: there is no x86 side to compare with or to record on",
        why="what is built for ARM does not run on x86",
        next_step="leave the option out, or compare without artifact, by requirements",
    )


def _check_installer(installer: str, manifest: Path) -> None:
    if installer != INSTALLERS[0]:
        raise SettingsError(
            f"{manifest}: artifact: --arm64-installer pip would install what is there already",
            next_step="leave the option out: only the packages of the tests are added",
        )


def _seconds(text: str | None) -> float:
    try:
        return seconds(text) if text is not None else 0.0
    except ValueError as error:
        raise SettingsError(f"--arm64-timeout {error}") from None


def memory_bytes(text: str, manifest: Path) -> int:
    """``512MB`` as Lambda counts it, by powers of two.

    Raises:
        SettingsError: it is no amount of memory.
    """
    found = _MEMORY.fullmatch(text)
    if text and found is None:
        raise SettingsError(
            f"{manifest}: memory = {text!r} is no amount of memory",
            next_step='say for example memory = "512MB" or memory = "2GB"',
        )
    return int(found[1]) * (2**20 if found[2] == "M" else 2**30) if found else 0


def _cores(text: str) -> tuple[str, ...]:
    try:
        return cores(text)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def read_pyproject(manifest: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """``[tool.pytest-arm64]``, checked, and ``[project]`` of *manifest*; empty where absent.

    Raises:
        SettingsError: not TOML, a key that does not exist, or a value of the wrong type.
    """
    try:
        data = loads(manifest.read_text("utf-8"))
    except FileNotFoundError:
        return {}, {}
    except (TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{manifest} cannot be read: {error}") from None
    project = _table(data, "project", manifest)
    table = _table(_table(data, "tool", manifest), "pytest-arm64", manifest)
    for key, value in table.items():
        if key not in _KEYS:
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] has no key {key!r}{suggestion(key, _KEYS)}",
                next_step="known keys: " + ", ".join(sorted(_KEYS)),
            )
        if not isinstance(value, _KEYS[key]):
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] {key} = {value!r} has a wrong type"
            )
        entry_type = dict if key in _TABLE_LISTS else str
        if isinstance(value, list) and not all(isinstance(entry, entry_type) for entry in value):
            raise SettingsError(
                f"{manifest}: [tool.pytest-arm64] {key} must be a list of "
                f"{'tables' if entry_type is dict else 'strings'}"
            )
    return table, project


def _table(parent: Mapping[str, Any], key: str, manifest: Path) -> dict[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, dict):
        raise SettingsError(f"{manifest}: {key} = {value!r} must be a table")
    return value


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


def default_target(rootpath: Path, project: Mapping[str, Any]) -> str:
    """Name of the target that the repository asks for, so that two machines agree.

    ``.python-version`` decides, then ``requires-python`` (Python 3.12 if it is allowed, else
    the lowest that is), then Python 3.12.
    """
    prefix = "al2023-python"
    packaged = [n.removeprefix(prefix) for n in shipped_targets() if n.startswith(prefix)]
    try:
        lines = (rootpath / ".python-version").read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    words = [word for line in lines for word in line.partition("#")[0].split()]
    found = _PYTHON_VERSION.match(words[0]) if words else None
    if found and found[1] in packaged:
        return prefix + found[1]
    allowed = _requires_python(project)
    fitting = [minor for minor in packaged if allowed is None or allows_minor(allowed, minor)]
    if DEFAULT_PYTHON in fitting or not fitting:
        return prefix + DEFAULT_PYTHON
    return prefix + fitting[0]


def _requires_python(project: Mapping[str, Any]) -> SpecifierSet | None:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    asked = project.get("requires-python")
    try:
        return SpecifierSet(asked) if isinstance(asked, str) else None
    except InvalidSpecifier:
        return None


def passed_variables(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that the user configured for the cell, with their values."""
    found = {}
    for entry in settings.env:
        name, equals, value = entry.partition("=")
        if equals:
            found[name] = value
        elif name in environ:
            found[name] = environ[name]
    return found


def checked_env(entries: Sequence[object], manifest: Path) -> Sequence[str]:
    """*entries* of ``env``, each ``NAME`` or ``NAME=VALUE``.

    Raises:
        SettingsError: one is neither.
    """
    checked = []
    for entry in entries:
        name = entry.partition("=")[0] if isinstance(entry, str) else ""
        if not _VARIABLE.match(name):
            raise SettingsError(f"{manifest}: env entry {entry!r} is not NAME or NAME=VALUE")
        checked.append(str(entry))
    return checked


def _tables(value: Mapping[str, Any]) -> Sequence[tuple[str, Mapping[str, Any]]]:
    for name, table in value.items():
        if not isinstance(table, dict):
            raise SettingsError(f"[tool.pytest-arm64.targets] {name} must be a table")
    return list(value.items())


def _listed(value: str | list[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _files(names: Sequence[str], base: Path, where: str) -> tuple[Path, ...]:
    paths = tuple(Path(os.path.normpath(base / name)) for name in names)
    for path in paths:
        if not path.is_file():
            raise SettingsError(f"{where}: {path} is not a file")
    return paths


def _truth(word: str) -> bool:
    return word.lower() not in ("", "0", "false", "no")
