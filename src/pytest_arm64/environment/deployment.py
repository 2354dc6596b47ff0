"""What is deployed and what the tests need, by the artifact, the plan or pip; and why by that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.settings import Settings
from ..engine.images import Base
from ..errors import InstallError
from ..progress import Progress
from . import artifact_installer, pip_installer, plan_installer
from .builder_container import Host
from .lock_requirements import lock_requirements
from .pip_container import Request, pip_name
from .pip_installer import Installation
from .plan import platform_of_run
from .planned_scope import NotPlannableError

if TYPE_CHECKING:
    from ..inputs.lock import Lock


def install_deployed(
    host: Host,
    base: Base,
    request: Request,
    settings: Settings,
    lock: Lock | None,
    progress: Progress,
) -> tuple[Installation, str, str]:
    """What was installed, by which installer, and why not by the one that was asked for."""
    reason = ""
    artifact = settings.artifact
    if artifact is not None:
        offline, refresh = settings.offline, settings.refresh
        made = artifact_installer.install(
            host, base, artifact, request, progress, offline=offline, refresh=refresh
        )
        return made, f"{artifact.shown} as it is, and the plan for the tests", ""
    if settings.installer == plan_installer.NAME:
        try:
            made = plan_installer.install(
                host, request, progress, offline=settings.offline, refresh=settings.refresh
            )
        except NotPlannableError as error:
            reason = str(error)
            if request.manifest.changes:
                raise InstallError(
                    f"the change cannot be tried: {reason}",
                    why="only what the audit resolves can be installed with a change",
                    next_step="change the project's files, and run without --arm64-try",
                ) from None
        else:
            return made, f"the plan ({pip_name()} for builds)", ""
    if settings.offline:
        raise InstallError(
            "this project's environment is not built yet, and --arm64-offline forbids installing"
            + (f": {reason}" if reason else ""),
            next_step="run once without --arm64-offline",
        )
    if lock is not None:
        locked = _locked(lock, host, request.manifest.root, reference=not reason)
        request = replace(request, locked=locked)
    made = pip_installer.install(
        host.engine, host.cell, host.ran, host.builder(), request, progress, because=reason
    )
    return made, pip_name(), reason


def _locked(lock: Lock, host: Host, root: Path, *, reference: bool) -> str:
    """What *lock* decides, for pip; empty where that cannot be told and the header says so.

    Raises:
        InstallError: it cannot be told, and pip was asked for as the *reference*.
    """
    try:
        return lock_requirements(lock, platform_of_run(host.cell, host.ran), root)
    except NotPlannableError as error:
        if not reference:
            return ""
        raise InstallError(
            f"{lock.shown} cannot be followed here: {error}",
            why="without it, other versions than the deployed ones would be tested",
            next_step="name what is deployed in requirement files: --arm64-requirements FILE",
        ) from None
