"""The reference installer: a modern pip, run inside the builder image.

Packages are installed where the compilers are and taken out of there as files; what the tests
see is the bare runtime image with these files, so that a missing system library is missing.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import IO, BinaryIO, cast

from ..audit.matrix import DEPLOY
from ..config.cell import Cell, ImageFacts, Python
from ..engine.container import Container, Finished
from ..engine.container_plan import Mount, Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..engine.images import Base
from ..errors import BuildError, InstallError
from ..index.pip_config import PipConfig
from ..inputs.manifest import Manifest, Scope
from ..progress import Progress, Step
from .bytecode import compiler_for
from .consistency import DistributionMetadata
from .failures import BUILD as BUILD_FAILED
from .failures import MISSING_WHEEL, Tools, classify, decisive_lines
from .local_files import copy_of_files, index_files, link_files, mounted_folders
from .record import Installed, from_pip_report
from .tree import ENV, HOME, PYTHON, TESTS, Owner, TarEntry, copy_of, tar_of, with_parents
from .venv import venv_entries

BUILD = f"{HOME}/build"
PIP_SITE = f"{BUILD}/site-packages"
_CONFIG = f"{BUILD}/pip.conf"
_CA = f"{BUILD}/ca.pem"
_NETRC = f"{BUILD}/netrc"
_PINS = f"{BUILD}/pins.txt"
_LOCKED = f"{BUILD}/locked.txt"
_WORTH_SHOWING = re.compile(r"^(Collecting|Downloading|Building|Installing|Preparing|Getting)\b.*")

_ROOT = Owner()
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


@dataclass(frozen=True)
class Request:
    """What pip is asked to do."""

    manifest: Manifest
    runner: tuple[str, ...]
    """Requirements of the session inside, added to the test scope."""
    config: PipConfig
    pins: tuple[str, ...] = ()
    """Constraints on both scopes: the versions of another architecture."""
    locked: str = ""
    """A requirement file of everything that is deployed, where a lock decides it."""
    there: tuple[str, ...] | None = None
    """``name==version`` of what an artifact has: then only the tests' packages are installed."""


def pip_name() -> str:
    """``pip`` with the version that is brought along."""
    return f"pip {version('pip')}"


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
    why = f", because the plan is not certain ({because})" if because else ""
    with (
        progress.step(f"install with {pip_name()}{why}") as step,
        builder_container(engine, cell, ran, builder, request) as container,
    ):
        bring_local_files(container, request)
        arguments = _scope_arguments(manifest.deploy)
        if request.locked:
            # Whatever it does not list, nothing may add; what is hashed goes by itself.
            locked = ["--no-deps", "-r", _LOCKED]
            installed += run_pip(container, manifest.root, variables, "deploy", locked, step)
            arguments = ["--no-deps"] if manifest.own is not None else []
        if manifest.project is not None:
            arguments += ["-e", str(manifest.project)]
        if manifest.whole is not None:
            arguments.append(str(manifest.whole))
        pinned = ["-c", _PINS] if request.pins else []
        if arguments:
            arguments += pinned
            installed += run_pip(container, manifest.root, variables, "deploy", arguments, step)
        pins = "".join(f"{p.name}=={p.version}\n" for p in installed if p.file)
        container.put("/", tar_of({f"{BUILD}/deployed.txt": TarEntry(pins.encode())}))
        arguments = [*_scope_arguments(manifest.test), *request.runner]
        arguments += ["--prefix", TESTS, "-c", f"{BUILD}/deployed.txt", *pinned]
        installed += run_pip(container, manifest.root, variables, "test", arguments, step)
        step.update("taking the packages out")
        container.run(["rm", "-rf", BUILD])
        return Installation(installed, container.fetch(HOME), "/opt")


@contextmanager
def builder_container(
    engine: Engine,
    cell: Cell,
    ran: ImageFacts,
    builder: Base,
    request: Request,
    *,
    user: Owner = _ROOT,
    projects: bool = True,
) -> Iterator[Container]:
    """A container of *builder* with an empty environment and pip, for *user*.

    With *projects*, it has the requirement files and local projects of *request* as well.
    """
    plan = Plan(
        image=builder.id,
        platform=cell.platform,
        user=f"{user.uid}:{user.gid}",
        network="bridge",
        environment=_environment(request.config),
        mounts=[Mount(folder) for folder in mounted_folders(request.config.folders)],
    )
    with Container(engine, plan) as container:
        _bring(container, ran, request, user, projects=projects)
        yield container


def bring_local_files(container: Container, request: Request) -> None:
    """Copy what local indexes and link folders have, for pip to install from.

    Raises:
        InstallError: it is too large, or cannot be read.
    """
    manifest = request.manifest
    copied = () if mounted_folders(request.config.folders) else request.config.folders
    files = index_files(map(Path, copied)) | link_files(manifest.links, manifest.root)
    folders = [*copied, *map(str, manifest.links)]
    folders += (str(Path(name).parent) for name in files)
    if folders:
        entries = {folder: TarEntry(mode=0o755) for folder in dict.fromkeys(folders)}
        container.put("/", tar_of(with_parents(entries)))
    if files:
        container.put("/", copy_of_files(files))


def _environment(config: PipConfig) -> dict[str, str]:
    environment = {
        "HOME": "/tmp",  # noqa: S108  (in the container)
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": PIP_SITE,
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{ENV}/bin:/usr/local/bin:/usr/bin:/bin:/var/lang/bin",
        "PIP_CONFIG_FILE": _CONFIG,
        "PIP_NO_INPUT": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        # Otherwise maturin downloads a whole Rust toolchain by itself.
        "MATURIN_NO_INSTALL_RUST": "1",
    }
    if config.ca:
        environment |= {"PIP_CERT": _CA, "SSL_CERT_FILE": _CA, "REQUESTS_CA_BUNDLE": _CA}
    if config.netrc:
        environment["NETRC"] = _NETRC
    return environment


def _bring(
    container: Container, ran: ImageFacts, request: Request, user: Owner, *, projects: bool
) -> None:
    """The empty environment, pip, its configuration; with *projects* files and sources."""
    config, manifest = request.config, request.manifest
    entries = venv_entries(ran.python)
    entries |= {folder: TarEntry(mode=0o755) for folder in (BUILD, PIP_SITE)}
    entries |= {f"{BUILD}/pip.conf": TarEntry(config.as_file().encode())}
    if config.ca:
        entries[_CA] = TarEntry(config.ca)
    if request.locked:
        entries[_LOCKED] = TarEntry(request.locked.encode())
    if request.pins:
        entries[_PINS] = TarEntry("".join(f"{pin}\n" for pin in request.pins).encode())
    if config.netrc:
        entries[_NETRC] = TarEntry(config.netrc, mode=0o600)
    entries[str(manifest.root)] = TarEntry(mode=0o755)
    documents = manifest.documents if projects else {}
    for path, content in {**config.constraints, **documents}.items():
        entries[str(path)] = TarEntry(content)
    # Nothing can be written to what is mounted, and what is there is there.
    there = tuple(f"{folder}/" for folder in mounted_folders(config.folders))
    entries = {p: entry for p, entry in entries.items() if not f"{p}/".startswith(there)}
    owned = {path: replace(entry, uid=user.uid, gid=user.gid) for path, entry in entries.items()}
    container.put("/", tar_of(with_parents(owned)))
    for archive in _pip(ran.python):
        container.put("/", archive)
    if projects:
        for folder in [*([manifest.project] if manifest.project else []), *manifest.local]:
            container.put("/", copy_of(folder, uid=user.uid, gid=user.gid))


@lru_cache(maxsize=4)
def _pip(python: Python) -> tuple[bytes, ...]:
    """pip and what asks back ends, as a tar, and their byte-code: most of an emulated start."""
    files = {f"{PIP_SITE}/{name}": TarEntry(content) for name, content in _brought_files()}
    # The folders above are in the container already, and have an owner.
    below = f"{PIP_SITE}/"
    archive = tar_of({p: e for p, e in with_parents(files).items() if p.startswith(below)})
    with tempfile.NamedTemporaryFile() as layer:
        layer.write(archive)
        layer.flush()
        compiler_for(python).append(Path(layer.name), cast("BinaryIO", layer.file))
        layer.seek(len(archive))
        return archive, layer.read() + bytes(1024)


def _brought_files() -> Iterator[tuple[str, bytes]]:
    import pip
    import pyproject_hooks

    for module in (pip, pyproject_hooks):
        assert module.__file__ is not None
        package = Path(module.__file__).parent
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(package.parent).as_posix(), path.read_bytes()


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
) -> list[Installed]:
    """``pip install`` *arguments* for *scope* in a container of ``builder_container``.

    Raises:
        InstallError: it failed.
    """
    report = f"{BUILD}/{scope}.json"
    command = [PYTHON, "-m", "pip", "install", "--progress-bar", "off", "--report", report]

    def tell(line: str) -> None:
        if _WORTH_SHOWING.match(line.strip()):
            step.update(line.strip())

    finished = container.run(
        [*command, *arguments],
        # pip takes a relative path in a requirement file to be relative to where it is started.
        workdir=str(folder),
        environment=variables,
        on_line=tell,
    )
    if finished.code != 0:
        raise _failure(scope, finished)
    return list(from_pip_report(container.read(report).decode(), scope))


def _failure(scope: str, finished: Finished) -> InstallError:
    text = finished.text
    shown = decisive_lines(text)
    missing = re.findall(r"No matching distribution found for (\S+)", text)
    recognised = [f for f in classify(text, Tools()) if f.kind != MISSING_WHEEL]
    if recognised:
        # An index that does not answer has no versions either: that is not what is wrong.
        next_step = "; ".join(dict.fromkeys(failure.fix for failure in recognised))
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
        return InstallError(what, next_step=next_step, log=text)
    return BuildError(
        unbuilt[1],
        "",
        what=what,
        kinds=tuple(dict.fromkeys(failure.kind for failure in recognised)) or (BUILD_FAILED,),
        excerpt="\n".join(line.strip() for line in decisive_lines(text)),
        next_step=next_step,
        log=text,
    )
