"""The reference installer: a modern pip, run inside the builder image.

Packages are installed where the compilers are and taken out of there as files; what the tests
see is the bare runtime image with these files, so that a missing system library is missing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from ..audit.matrix import DEPLOY
from ..config.cell import Cell, ImageFacts
from ..engine.container import Container, Finished
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..engine.images import Base
from ..errors import BuildError, InstallError
from ..index.addresses import scrubbed
from ..inputs.manifest import Scope
from ..progress import Progress, Step
from .consistency import DistributionMetadata
from .failures import BUILD as BUILD_FAILED
from .failures import MISSING_WHEEL, Tools, classify, decisive_lines, next_step_for
from .pip_container import (
    BUILD,
    LOCKED,
    PINS,
    Request,
    bring_local_files,
    builder_container,
    pip_name,
)
from .record import Installed, from_pip_report
from .taken_packages import take_packages
from .tree import HOME, PYTHON, TESTS, TarEntry, tar_of

_WORTH_SHOWING = re.compile(r"^(Collecting|Downloading|Building|Installing|Preparing|Getting)\b.*")
_UNBUILT = re.compile(r"(?i)(?:failed building wheel for |failed to build ['\"])([\w.-]+)")


@dataclass(frozen=True)
class Installation:
    """What an installer has made."""

    packages: list[Installed]
    files: IO[bytes]
    """A tar in a temporary file, at its start."""
    at: str
    """The folder in which it is to be unpacked."""
    notes: tuple[str, ...] = ()
    """What a reader of the record should know."""
    changed: tuple[str, ...] = ()
    """Where the tests change which versions are deployed, in words."""
    missing: tuple[str, ...] = ()
    """Releases that were left out, because nothing of them can be used."""
    sites: tuple[str, ...] = ()
    """Folders of an artifact from which it imports, in order; empty where everything is new."""
    there: tuple[DistributionMetadata, ...] = ()
    """What was installed there before, in an artifact."""
    size: int = 0
    """Bytes of an artifact's files."""
    uncompiled: bool = False
    """Whether byte-code is still to be made, in the image."""
    not_crossed: str = ""
    """Why nothing was cross-compiled, where that was asked for."""


def install(
    engine: Engine,
    cell: Cell,
    ran: ImageFacts,
    builder: Base,
    request: Request,
    progress: Progress,
    *,
    because: str = "",
) -> Installation:
    """Install both scopes; the files are ``pytest-arm64/env`` and ``pytest-arm64/tests``.

    *because* tells why the plan does not, which takes a fraction of the time.

    Raises:
        InstallError: pip failed; its last lines are shown, ``log`` has them all.
    """
    manifest = request.manifest
    variables = {**manifest.variables(os.environ), **qemu_environment(cell, engine)}
    installed: list[Installed] = []
    why = (
        f", because the dependencies could not be resolved in advance ({because})"
        if because
        else ""
    )
    with (
        progress.step(f"install with {pip_name()}{why}") as step,
        builder_container(engine, cell, ran, builder, request, network=True) as container,
    ):
        bring_local_files(container, request)
        pip = partial(run_pip, container, manifest.root, variables, step=step, because=because)
        arguments = _scope_arguments(manifest.deploy)
        if request.locked:
            # Whatever it does not list, nothing may add; what is hashed goes by itself.
            locked = ["--no-deps", "-r", LOCKED]
            installed += pip("deploy", locked)
            arguments = ["--no-deps"] if manifest.own is not None else []
        if manifest.project is not None:
            arguments += ["-e", str(manifest.project)]
        if manifest.whole is not None:
            arguments.append(str(manifest.whole))
        pinned = ["-c", PINS] if request.pins else []
        if arguments:
            arguments += pinned
            installed += pip("deploy", arguments)
        pins = "".join(f"{p.name}=={p.version}\n" for p in installed if p.file)
        container.put("/", tar_of({f"{BUILD}/deployed.txt": TarEntry(pins.encode())}))
        arguments = [*_scope_arguments(manifest.test), *request.runner]
        arguments += ["--prefix", TESTS, "-c", f"{BUILD}/deployed.txt", *pinned]
        installed += pip("test", arguments)
        step.update("taking the packages out")
        container.run(["rm", "-rf", BUILD])
        with container.fetch(HOME) as archive:
            return Installation(installed, take_packages(archive, "/opt", whole=True), "/")


def _scope_arguments(scope: Scope) -> list[str]:
    arguments = []
    for path in scope.files:
        arguments += ["-r", str(path)]
    return arguments + list(scope.requirements)


def run_pip(
    container: Container,
    folder: Path,
    variables: Mapping[str, str],
    scope: str,
    arguments: list[str],
    step: Step,
    *,
    because: str = "",
) -> list[Installed]:
    """``pip install`` *arguments* for *scope* in a container of ``builder_container``.

    *because* is why pip resolves what is installed, where the plan should.

    Raises:
        InstallError: it failed.
    """
    report = f"{BUILD}/{scope}.json"
    command = [PYTHON, "-m", "pip", "install", "--progress-bar", "off", "--report", report]

    def tell(line: str) -> None:
        if _WORTH_SHOWING.match(line.strip()):
            step.update(scrubbed(line.strip()))

    finished = container.run(
        [*command, *arguments],
        # pip takes a relative path in a requirement file to be relative to where it is started.
        workdir=str(folder),
        environment=variables,
        on_line=tell,
    )
    if finished.code != 0:
        raise _failure(scope, finished, because)
    return list(from_pip_report(container.read(report).decode(), scope))


def _failure(scope: str, finished: Finished, because: str = "") -> InstallError:
    why = f"the dependencies could not be resolved in advance: {because}" if because else ""
    text = finished.text
    shown = decisive_lines(text)
    missing = re.findall(r"No matching distribution found for (\S+)", text)
    recognised = [f for f in classify(text, Tools()) if f.kind != MISSING_WHEEL]
    if recognised:
        # An index that does not answer has no versions either: that is not what is wrong.
        next_step = next_step_for(recognised)
    elif not missing:
        next_step = ""
    elif "(from versions: none)" in text:
        next_step = f"check the name {missing[-1]}, and that an index that has it is configured"
    else:
        next_step = f"see which versions of {missing[-1]} have a file for this Python, and pin one"
    what = (
        f"pip could not install the {scope} scope (exit code {finished.code}"
        + "".join(f", {kind}" for kind in dict.fromkeys(failure.kind for failure in recognised))
        + "):\n"
        + "\n".join(f"    {line}" for line in shown)
    )
    unbuilt = _UNBUILT.search(text)
    if unbuilt is None or scope != DEPLOY:
        return InstallError(what, why=why, next_step=next_step, log=text)
    return BuildError(
        unbuilt[1],
        "",
        what=what,
        kinds=tuple(dict.fromkeys(failure.kind for failure in recognised)) or (BUILD_FAILED,),
        excerpt="\n".join(line.strip() for line in decisive_lines(text)),
        why=why,
        next_step=next_step,
        log=text,
    )
