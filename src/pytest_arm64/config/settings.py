"""Settings of one run: option, variable, ``[tool.pytest-arm64]``, the user's own file."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import SettingsError
from ..inside.options import (
    CORES,
    CROSS,
    FIXES,
    INSTALLERS,
    OFF,
    SHM_SIZE,
    TRY,
    byte_size,
    cores,
    seconds,
)
from .artifact import IMAGE, Artifact, configured_artifact
from .boundary import check_inside, is_there
from .changes import Change, read_changes
from .forked_change import comes_from_fork
from .lambda_limits import CODE, READ_ONLY, LambdaLimits, lambda_limits
from .option_values import Given
from .project_files import ProjectFiles
from .suggestions import file_suggestion
from .system_packages import KEY, SystemPackages, read_system_packages
from .target_choice import chosen_target
from .targets import Target

INSTALL_MODES = ("auto", "editable", "wheel", "none")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


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
    cores_by_code: bool = False
    """Whether a core is added for code that the first one never runs."""
    cores_named: bool = False
    """Whether an option or the settings say what cores there are, ``auto`` included."""
    reference: bool = False
    """Whether linux/amd64 runs first, to be compared with."""
    changes: tuple[Change, ...] = ()
    """What is tried on linux/amd64 and on ARM64, instead of what the files say."""
    try_fixes: bool = False
    """Whether all that the audit proposes is tried too."""
    record: bool = False
    """Whether what linux/amd64 computes becomes the goldens."""
    record_emulated: bool = False
    """Whether an emulated x86 may record."""
    requirements: tuple[Path, ...] = ()
    test_requirements: tuple[Path, ...] = ()
    install: str = "auto"
    env: tuple[str, ...] = ()
    """``NAME=VALUE``, or ``NAME`` to take the host's value where it has one."""
    system_packages: SystemPackages = field(default_factory=SystemPackages)
    """Packages of the system, for builds and where the tests run."""
    network: str = "bridge"
    refresh: bool = False
    offline: bool = False
    copy: bool = False
    """Whether the tests get a copy of the project, and the host keeps its own as it is."""
    require_native: bool = False
    installer: str = INSTALLERS[0]
    """``plan`` unpacks what the audit resolved; ``pip`` runs inside."""
    build_network: bool = False
    """Whether builds have the network, and pip's settings."""
    build_timeout: float = 0.0
    """Seconds that one build may take, 0 for any."""
    cross: bool = False
    """Whether a cross compiler compiles what is built under emulation."""
    cross_image: str = ""
    """The amd64 image that has it; empty for the package of the target's distribution."""
    timeout: float = 0.0
    """Seconds that a test may take, 0 for any."""
    memory: int = 0
    """Bytes of memory that the deployed service has, 0 for any."""
    shm_size: int = SHM_SIZE
    """Bytes of ``/dev/shm``."""
    lambda_limits: bool = True
    """Whether a container of a Lambda target has a function's limits."""
    tmp_size: int = 0
    """Bytes of ``/tmp`` of a Lambda function, 0 for what it has by default."""
    lambda_code: str = READ_ONLY
    """What tests on a Lambda target get of the project, one of ``CODE``."""
    artifact: Artifact | None = None
    """What is deployed, where it is built already: tests run in it as it is."""

    @property
    def base(self) -> str:
        """Reference of the image to begin with; ``{arch}`` becomes arm64 or amd64."""
        if self.artifact is not None and self.artifact.kind == IMAGE:
            return self.artifact.place
        return self.image or self.target.reference

    @property
    def limits(self) -> LambdaLimits | None:
        """What a function of the target may use; None elsewhere, and where it is switched off."""
        if not (self.target.package and self.lambda_limits):
            return None
        return lambda_limits(
            self.target.facts,
            memory=self.memory,
            temporary=self.tmp_size,
            code=self.lambda_code,
        )

    @property
    def read_only(self) -> bool:
        """Whether tests cannot write to the project, as a function cannot to its code."""
        return self.limits is not None and self.limits.read_only

    @property
    def copied(self) -> bool:
        """Whether tests get a copy of the project, even where the engine sees the host's."""
        return self.copy or (self.limits is not None and not self.limits.read_only)

    @property
    def core(self) -> str:
        """The core that is shown."""
        return self.cores[0]


def load_settings(
    given: Given, environ: Mapping[str, str], *, files: ProjectFiles, cwd: Path
) -> Settings:
    """Check everything the user said: an option counts before a variable, that before the table.

    Args:
        given: the options of the run.
        environ: the host's environment variables.
        files: what the project's files say.
        cwd: what paths given as options are relative to.

    Raises:
        SettingsError: something cannot be used; the message names the place.
    """
    table, rootpath, manifest = files.table, files.rootpath, files.manifest
    if given.requirements:
        requirements = _files(given.requirements, cwd, "--arm64-requirements")
    else:
        requirements = _files(
            _listed(table.get("requirements", [])), rootpath, f"{manifest}: requirements"
        )
        _check_inside(requirements, files, "requirements")
    installer = given.installer or table.get("installer") or INSTALLERS[0]
    if installer not in INSTALLERS:
        raise SettingsError(
            f"unknown installer {installer!r}", next_step=f"choose one of {', '.join(INSTALLERS)}"
        )
    cross = given.cross or table.get("cross") or OFF
    if cross not in CROSS:
        raise SettingsError(
            f"{manifest}: cross = {cross!r} must be one of {', '.join(CROSS)}",
            next_step='cross = "auto" compiles at the speed of the host',
        )
    test_requirements = _files(
        _listed(table.get("test-requirements", [])), rootpath, f"{manifest}: test-requirements"
    )
    _check_inside(test_requirements, files, "test-requirements")
    artifact = configured_artifact(table.get("artifact", ""), rootpath)
    if artifact is not None:
        if given.compare or given.record or given.changes:
            raise no_x86_side(str(manifest))
        _check_installer(installer, manifest)
    named = given.cpu or table.get("cpu") or ""
    chosen = _cores(named or CORES[0])
    target = chosen_target(given.target, files, environ)
    return Settings(
        root=files.root,
        target=target,
        image=given.image
        or environ.get("PYTEST_ARM64_IMAGE")
        or table.get("image")
        or files.user.image,
        cores=chosen or (CORES[0],),
        # Lambda does not say on which core a function runs.
        cores_by_code=not chosen or not (named or target.package),
        cores_named=bool(named),
        reference=given.compare or given.record or bool(given.changes),
        changes=_changes(given, installer),
        try_fixes=any(text.strip() == FIXES for text in given.changes),
        record=given.record,
        record_emulated=table.get("record-emulated", False),
        requirements=requirements,
        test_requirements=test_requirements,
        install=checked_install(table.get("install", INSTALL_MODES[0]), manifest),
        env=(*_users_env(files), *checked_env(table.get("env", []), manifest)),
        system_packages=_system_packages(table.get(KEY, {}), manifest),
        network=table.get("network") or files.user.network or "bridge",
        refresh=given.refresh,
        offline=given.offline or _truth(environ.get("PYTEST_ARM64_OFFLINE", "")),
        copy=given.copy or _copies(environ, users=files.user.copy),
        require_native=given.require_native,
        installer=installer,
        build_network=given.build_network or table.get("build-network", files.user.build_network),
        build_timeout=_build_timeout(given, table.get("build-timeout"), manifest),
        cross=cross != OFF,
        cross_image=environ.get("PYTEST_ARM64_CROSS_IMAGE", ""),
        timeout=_seconds(given.timeout, "--arm64-timeout"),
        memory=memory_bytes(given.memory or table.get("memory", ""), manifest),
        shm_size=memory_bytes(given.shm_size or table.get("shm-size", ""), manifest, "shm-size")
        or SHM_SIZE,
        lambda_limits=table.get("lambda-limits", True),
        tmp_size=memory_bytes(table.get("tmp-size", ""), manifest, "tmp-size"),
        lambda_code=checked_code(table.get("lambda-code", READ_ONLY), manifest),
        artifact=artifact,
    )


def _changes(given: Given, installer: str) -> tuple[Change, ...]:
    if not given.changes:
        return ()
    if installer != INSTALLERS[0]:
        raise SettingsError(
            f"{TRY} does not work with the installer {installer}",
            why="pip reads the project's files, which a trial leaves as they are",
            next_step=f"use the installer {INSTALLERS[0]}, or change the files",
        )
    return read_changes(given.changes)


def checked_install(mode: str, manifest: Path) -> str:
    """*mode*, how the project itself is installed.

    Raises:
        SettingsError: there is no such mode.
    """
    if mode not in INSTALL_MODES:
        raise SettingsError(f"{manifest}: install must be one of {', '.join(INSTALL_MODES)}")
    return mode


def checked_code(code: str, place: Path | str) -> str:
    """*code*, what tests on a Lambda target get of the project; *place* is where it is said.

    Raises:
        SettingsError: *code* is not among ``CODE``.
    """
    if code not in CODE:
        raise SettingsError(
            f"{place}: lambda-code = {code!r} must be one of {', '.join(CODE)}",
            next_step='lambda-code = "copy" if the tests write files beside themselves',
        )
    return code


def no_x86_side(place: str) -> SettingsError:
    """The error of a comparison with what is built already, as it is told at *place*."""
    return SettingsError(
        f"{place}: artifact: there is no x86 side to compare with or to record on",
        why="what is built for ARM does not run on x86",
        next_step="remove the option, or compare by requirements instead of an artifact",
    )


def _check_installer(installer: str, manifest: Path) -> None:
    if installer != INSTALLERS[0]:
        raise SettingsError(
            f"{manifest}: artifact: --arm64-installer pip would reinstall what is already built",
            next_step="leave the option out: only the packages of the tests are added",
        )


def _seconds(text: str | None, place: str) -> float:
    try:
        return seconds(text) if text is not None else 0.0
    except ValueError as error:
        raise SettingsError(f"{place} {error}") from None


def _build_timeout(given: Given, said: float | bool | None, manifest: Path) -> float:
    if given.build_timeout is not None:
        return _seconds(given.build_timeout, "--arm64-build-timeout")
    return _seconds(None if said is None else str(said), f"{manifest}: build-timeout =")


def memory_bytes(text: str, manifest: Path, key: str = "memory") -> int:
    """The bytes of *key*; 0 where *text* is empty.

    Raises:
        SettingsError: it is not an amount of memory.
    """
    try:
        return byte_size(text) if text else 0
    except ValueError:
        raise SettingsError(
            f"{manifest}: {key} = {text!r} is not an amount of memory",
            next_step=f'say for example {key} = "512MB" or {key} = "2GB"',
        ) from None


def _cores(text: str) -> tuple[str, ...]:
    try:
        return cores(text)
    except ValueError as error:
        raise SettingsError(str(error)) from None


def passed_variables(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Variables that the user configured for the cell, with their values."""
    variables = {}
    for entry in settings.env:
        name, equals, value = entry.partition("=")
        if equals:
            variables[name] = value
        elif name in environ:
            variables[name] = environ[name]
    return variables


def checked_env(entries: Sequence[object], manifest: Path) -> Sequence[str]:
    """*entries* of ``env``, each ``NAME`` or ``NAME=VALUE``.

    Raises:
        SettingsError: one is neither.
    """
    checked = []
    for entry in entries:
        name = entry.partition("=")[0] if isinstance(entry, str) else ""
        if not _VARIABLE.match(name):
            raise SettingsError(
                f"{manifest}: env entry {entry!r} is not NAME or NAME=VALUE",
                next_step='env = ["AWS_DEFAULT_REGION=eu-west-1", "HTTPS_PROXY"]',
            )
        checked.append(str(entry))
    return checked


def _system_packages(table: Mapping[str, object], manifest: Path) -> SystemPackages:
    try:
        return read_system_packages(table)
    except SettingsError as error:
        raise SettingsError(
            f"{manifest}: {error.what}", why=error.why, next_step=error.next_step
        ) from None


def _listed(value: str | list[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _files(names: Sequence[str], base: Path, where: str) -> tuple[Path, ...]:
    paths = tuple(Path(os.path.normpath(base / name)) for name in names)
    for path in paths:
        if not is_there(path, Path.is_file):
            raise SettingsError(
                f"{where}: {path} is not a file{file_suggestion(path, base)}",
                next_step="name a requirement file that exists",
            )
    return paths


def _check_inside(paths: Sequence[Path], files: ProjectFiles, key: str) -> None:
    for path in paths:
        check_inside(path, files.manifest, files.rootpath, f"{files.manifest}: {key}")


def _users_env(files: ProjectFiles) -> Sequence[str]:
    path = files.user.path
    return checked_env(files.user.env, path) if path is not None else ()


def _copies(environ: Mapping[str, str], *, users: bool) -> bool:
    word = environ.get("PYTEST_ARM64_COPY", "")
    return _truth(word) if word else users or comes_from_fork(environ)


def _truth(word: str) -> bool:
    return word.lower() not in ("", "0", "false", "no")
