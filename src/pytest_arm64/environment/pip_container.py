"""A container with pip: the builder image, an empty environment, and what pip reads.

Without the network it has nothing of pip's configuration either: no credentials, no index.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, cast

from ..config.cell import Cell, ImageFacts, Python
from ..engine.container import Container
from ..engine.container_plan import LONGEST_SECONDS, Mount, Plan
from ..engine.endpoint import Engine
from ..engine.images import Base
from ..index.pip_config import PipConfig
from ..inputs.manifest import Manifest
from .bytecode import compiler_for
from .local_files import copy_of_files, index_files, link_files, mounted_folders
from .tree import ENV, HOME, Owner, TarEntry, copy_of, tar_of, with_parents
from .venv import venv_entries

BUILD = f"{HOME}/build"
PIP_SITE = f"{BUILD}/site-packages"
_CONFIG = f"{BUILD}/pip.conf"
_CA = f"{BUILD}/ca.pem"
_NETRC = f"{BUILD}/netrc"
PINS = f"{BUILD}/pins.txt"
LOCKED = f"{BUILD}/locked.txt"
"""Within ``BUILD``: requirements that a lock decides."""
FOLDER = TarEntry(mode=0o755)
_CALLS_BACKENDS = "pip/_vendor/pyproject_hooks/_in_process/_in_process.py"
_NO_BUILDS = b"raise SystemExit('pytest-arm64: pip builds nothing where it has the network')\n"


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
    build_network: bool = False
    """Whether builds have the network."""
    build_timeout: float = 0.0
    """Seconds that one build may take, 0 for what any command may."""


def pip_name() -> str:
    """``pip`` with the version that is brought along."""
    return f"pip {version('pip')}"


def build_user(engine: Engine) -> Owner:
    """As whom builds run: nobody; in a rootless engine its root, which is the calling user."""
    return Owner() if engine.rootless else Owner(65534, 65534)


@contextmanager
def builder_container(
    engine: Engine,
    cell: Cell,
    ran: ImageFacts,
    builder: Base,
    request: Request,
    *,
    network: bool,
    projects: bool = True,
    longest: float = 0.0,
) -> Iterator[Container]:
    """A container of *builder* with an empty environment and pip, for an unprivileged user.

    With *projects*, it has the requirement files and local projects of *request* as well. Without
    *network* it has nothing of pip's configuration; with it, pip builds in it only where builds
    may have the network. No command may take more than *longest* seconds.
    """
    user, manifest = build_user(engine), request.manifest
    mounted = mounted_folders(request.config.folders) if network else ()
    plan = Plan(
        image=builder.id,
        platform=cell.platform,
        user=f"{user.uid}:{user.gid}",
        network="bridge" if network else "none",
        environment=_environment(request.config, network=network),
        mounts=[Mount(folder) for folder in mounted],
        longest=longest or LONGEST_SECONDS,
    )
    entries = {**venv_entries(ran.python), BUILD: FOLDER, PIP_SITE: FOLDER}
    entries[str(manifest.root)] = FOLDER
    if network:
        entries |= _configuration(request)
    if projects:
        entries |= {str(p): TarEntry(content) for p, content in manifest.documents.items()}
    # Nothing can be written to what is mounted, and what is there is there.
    there = tuple(f"{folder}/" for folder in mounted)
    entries = {p: entry for p, entry in entries.items() if not f"{p}/".startswith(there)}
    owned = {p: replace(entry, uid=user.uid, gid=user.gid) for p, entry in entries.items()}
    with Container(engine, plan) as container:
        container.put("/", tar_of(with_parents(owned)))
        for archive in _pip(ran.python, builds=request.build_network or not network):
            container.put("/", archive)
        if projects:
            for folder in [*([manifest.project] if manifest.project else []), *manifest.local]:
                container.put("/", copy_of(folder, uid=user.uid, gid=user.gid))
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


def _environment(config: PipConfig, *, network: bool) -> dict[str, str]:
    environment = {
        "HOME": "/tmp",  # noqa: S108  (in the container)
        "LC_ALL": "C.UTF-8",
        "NO_COLOR": "1",
        "PYTHONPATH": PIP_SITE,
        "PYTHONWARNINGS": "ignore",
        "PATH": f"{ENV}/bin:/usr/local/bin:/usr/bin:/bin:/var/lang/bin",
        "PIP_NO_INPUT": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        # Before pip 25.3, what is left out of it for a container without builds is else not asked.
        "PIP_USE_PEP517": "1",
        # Otherwise maturin downloads a whole Rust toolchain by itself.
        "MATURIN_NO_INSTALL_RUST": "1",
    }
    if not network:
        # What a build looks for on its own is not to be had: five tries would not change that.
        return environment | {"PIP_RETRIES": "0"}
    environment["PIP_CONFIG_FILE"] = _CONFIG
    if config.ca:
        environment |= {"PIP_CERT": _CA, "SSL_CERT_FILE": _CA, "REQUESTS_CA_BUNDLE": _CA}
    if config.netrc:
        environment["NETRC"] = _NETRC
    return environment


def _configuration(request: Request) -> dict[str, TarEntry]:
    """pip's configuration, and what limits it."""
    config = request.config
    entries = {_CONFIG: TarEntry(config.as_file().encode())}
    if config.ca:
        entries[_CA] = TarEntry(config.ca)
    if config.netrc:
        entries[_NETRC] = TarEntry(config.netrc, mode=0o600)
    if request.locked:
        entries[LOCKED] = TarEntry(request.locked.encode())
    if request.pins:
        entries[PINS] = TarEntry("".join(f"{pin}\n" for pin in request.pins).encode())
    return entries | {str(p): TarEntry(content) for p, content in config.constraints.items()}


@lru_cache(maxsize=4)
def _pip(python: Python, *, builds: bool) -> tuple[bytes, ...]:
    """pip and what asks back ends, as a tar, and their byte-code: most of an emulated start.

    Without *builds*, what pip starts to call a back end says instead that it must not.
    """
    files = {f"{PIP_SITE}/{name}": TarEntry(content) for name, content in _brought_files()}
    if not builds:
        files[f"{PIP_SITE}/{_CALLS_BACKENDS}"] = TarEntry(_NO_BUILDS)
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
