"""An environment: found again by what went into it, else made, committed and tagged last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..binary.record import AbiRecord
from ..config.artifact import IMAGE, Artifact
from ..config.cell import Cell, ImageFacts, Python
from ..config.settings import Settings
from ..config.targets import Target
from ..config.toml_files import TomlFiles
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_made
from ..errors import BuildError, InstallError
from ..index.pip_config import PipConfig
from ..inputs.manifest import read_manifest
from ..progress import Progress
from ..records import decode, encode, parse
from .bytecode import compile_command
from .deciding_lock import lock_of
from .inside_files import PACKAGE, check_inside, inside_files
from .loading import loaded_records
from .pip_container import Request, pip_name
from .provision import builder, provisioned
from .record import InstallRecord
from .runner import runner_requirements
from .tree import (
    ABI,
    ENV,
    INSIDE,
    OUT,
    RECORD,
    RESULTS,
    SITES_LABEL,
    TarEntry,
    tar_of,
    with_parents,
)

if TYPE_CHECKING:
    from .cross import CrossBuilder

FORMAT = 10
"""Counts up when the same inputs would make other files."""
_ANOTHER = "wait for another run that builds the same"
# A line of a .pth file: it must begin with "import".
_FINDS_BUILT_MODULES = (
    "import importlib.util as util; "
    "spec = util.spec_from_file_location('pytest_arm64_built_modules', {module!r}); "
    "found = util.module_from_spec(spec); spec.loader.exec_module(found); "
    "found.find_built_modules({site!r})\n"
)


@dataclass(frozen=True)
class User:
    """The calling user, as whom tests run."""

    uid: int
    gid: int
    name: str
    home: str


@dataclass(frozen=True)
class Environment:
    """An image with the project's packages, and what is known of it."""

    key: str
    image: str
    """Tag of the image to run: the environment with this user and our own code added."""
    ran: ImageFacts
    record: InstallRecord
    abi: AbiRecord
    reused: bool
    user: User
    path: str = ""
    """The image's own ``PATH``."""
    built_from: tuple[Path, ...] = ()
    """Folders of the project and its siblings of which a wheel was built and installed."""
    inside: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file of our code in the image, as it was when the image was made."""


def cell_user(engine: Engine) -> User:
    """As whom tests run: the user of this process, by number even where it has no name.

    In a rootless engine that user is called root.
    """
    if engine.rootless:
        return User(0, 0, "root", "/root")
    uid, gid = os.getuid(), os.getgid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = f"user{uid}"
    return User(uid, gid, name, f"/home/{name}" if uid else "/root")


def make_environment(
    engine: Engine,
    cell: Cell,
    settings: Settings,
    rootpath: Path,
    progress: Progress,
    config: PipConfig,
    *,
    like: InstallRecord | None = None,
    toml: TomlFiles | None = None,
) -> Environment:
    """The environment of *cell*, from the project's own files, with the host's pip *config*.

    *like* is the record of another architecture's, whose versions this one is to have; *toml*
    holds the TOML files of the run.

    Raises:
        ImageError, EmulationError, InstallError, SettingsError, EngineError: see each.
    """
    packages = settings.system_packages
    base, ran = provisioned(engine, cell, progress, offline=settings.offline, packages=packages)
    manifest = read_manifest(settings, rootpath, toml)
    runner = runner_requirements(manifest, ran.python.version)
    pins = like.pins() if like is not None else ()
    artifact = settings.artifact
    lock = lock_of(manifest) if artifact is None else None
    key = cache.digest(
        {
            "format": FORMAT,
            "base": base.id,
            "target": [cell.target.name, repr(cell.target.facts), _facts_file(cell.target)],
            "installer": [settings.installer, pip_name()],
            "runner": runner,
            "pip": config.fingerprint(),
            **({"pins": pins} if pins else {}),
            **({"build-network": True} if settings.build_network else {}),
            **({"system-packages": encode(packages)} if packages.build or packages.run else {}),
            **({"cross": settings.cross_image} if settings.cross else {}),
            **({"lock": lock.digest} if lock is not None else {}),
            **({"artifact": _fingerprint(artifact)} if artifact is not None else {}),
            **manifest.fingerprint(),
        }
    )[:20]
    tag = f"{LABEL}/environment:{key}"
    image = None if settings.refresh else find_made(engine, tag)
    reused = image is not None
    if image is None:
        # What plans, fetches and installs is loaded where something must be made.
        from .builder_container import Host
        from .image_build import make_image
        from .python_limits import refuse_other_python

        refuse_other_python(manifest, cell.target, ran)
        request = Request(
            manifest,
            runner,
            config,
            pins,
            build_network=settings.build_network,
            build_timeout=settings.build_timeout,
        )
        host = Host(
            engine,
            cell,
            ran,
            lambda: builder(engine, cell, base, ran, progress, packages=packages),
            _cross(engine, cell, ran, settings, progress),
        )
        with cache.alone(f"environment-{key[:2]}", partial(progress.step, _ANOTHER)):
            # Another run may just have made it.
            image = None if settings.refresh else find_made(engine, tag)
            reused = image is not None
            try:
                image = image or make_image(host, base, request, settings, lock, tag, progress)
            except BuildError as error:
                error.ran = ran.ran(cell.target)
                raise
    user = cell_user(engine)
    built_from = tuple(path for path in manifest.copied if path.is_dir())
    run_tag, records = _run_image(
        engine, cell, image, key, user, ran, progress, built=bool(built_from)
    )
    return Environment(
        key,
        run_tag,
        ran,
        records.install,
        records.abi,
        reused,
        user,
        image.path,
        built_from,
        records.inside,
    )


def _cross(
    engine: Engine, cell: Cell, ran: ImageFacts, settings: Settings, progress: Progress
) -> Callable[[Base], CrossBuilder] | None:
    """What gives a builder a cross compiler; None where nothing is emulated, or none is wanted."""
    if not settings.cross or ran.native:
        return None
    from .cross import cross_builder

    image, offline = settings.cross_image, settings.offline
    return lambda own: cross_builder(engine, cell, own, image, progress, offline=offline)


def _facts_file(target: Target) -> str:
    """Hash of the target's file of facts, empty where it has none."""
    file = target.facts_file
    if file is None or not file.is_file():
        return ""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _fingerprint(artifact: Artifact) -> list[str]:
    """An image is known by its id, which counts anyway."""
    from .artifact_files import fingerprint  # what reads wheels is loaded for artifacts

    return [artifact.kind, fingerprint(artifact) if artifact.kind != IMAGE else ""]


def _run_image(
    engine: Engine,
    cell: Cell,
    image: Base,
    key: str,
    user: User,
    ran: ImageFacts,
    progress: Progress,
    *,
    built: bool = False,
) -> tuple[str, _Records]:
    """The thin image that is run: *image*, our code for the inside, an entry for the user.

    *built* says that wheels were built from folders: their compiled modules are to be found.

    Raises:
        InstallError: *image* has files where our code belongs, or its records cannot be read.
    """
    files = inside_files()
    digest = cache.digest(
        [
            *(FORMAT, image.id, user.uid, user.gid, user.name),
            {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        ]
    )
    tag = f"{LABEL}/run:{digest[:20]}"
    records = _records_of(engine, tag, digest)
    if records is None:
        with cache.alone(f"run-{digest[:2]}", partial(progress.step, _ANOTHER)):
            records = _records_of(engine, tag, digest)
            if records is None:
                labels = {f"{LABEL}.environment": key, f"{LABEL}.base": image.id}
                records = _make_run_image(
                    engine, cell, image, files, user, ran, progress, tag, labels, built=built
                )
                cache.store("records", digest, encode(records))
    return tag, records


def _records_of(engine: Engine, tag: str, digest: str) -> _Records | None:
    """The records of the image *tag*; None where it, or they, are not there."""
    if find_made(engine, tag) is not None:
        with contextlib.suppress(ValueError):
            return decode(_Records, cache.load("records", digest))
    return None


def _make_run_image(
    engine: Engine,
    cell: Cell,
    image: Base,
    files: Mapping[str, bytes],
    user: User,
    ran: ImageFacts,
    progress: Progress,
    tag: str,
    labels: Mapping[str, str],
    *,
    built: bool,
) -> _Records:
    with Container(engine, Plan(image=image.id, platform=cell.platform)) as container:
        records = _read_records(container)
        users = _user_entries(container, user)
        abi = _loaded(engine, cell, image, users, user, ran, records.abi, progress)
        records = replace(records, abi=abi)
        entries = with_parents({f"{INSIDE}/{name}": TarEntry(text) for name, text in files.items()})
        for folder in (OUT, RESULTS):
            entries[folder] = TarEntry(mode=0o700, uid=user.uid, gid=user.gid)
        entries |= users
        if built and abi.files:  # it costs each start of an interpreter some milliseconds
            entries |= _finds_built_modules(ran.python)
        entries[ABI] = TarEntry(json.dumps(abi.to_json()).encode())
        container.put("/", tar_of(entries))
        compile_it = compile_command(ran.python, INSIDE)
        container.run(compile_it, environment=qemu_environment(cell, engine))
        with container.fetch(INSIDE) as archive:
            records = replace(records, inside=check_inside(archive, files))
        container.commit(tag, labels)
    return records


def _finds_built_modules(python: Python) -> dict[str, TarEntry]:
    """What has each interpreter find compiled modules beside the sources of their project."""
    site, module = f"{ENV}/{python.purelib}", f"{INSIDE}/{PACKAGE}/built_modules.py"
    line = _FINDS_BUILT_MODULES.format(module=module, site=site)
    return {f"{site}/pytest_arm64_built_modules.pth": TarEntry(line.encode())}


def _loaded(
    engine: Engine,
    cell: Cell,
    image: Base,
    users: Mapping[str, TarEntry],
    user: User,
    ran: ImageFacts,
    abi: AbiRecord,
    progress: Progress,
) -> AbiRecord:
    """*abi* with how compiled modules were imported by *user*, in a container that goes away."""
    if not abi.files:
        return abi
    plan = Plan(image=image.id, platform=cell.platform, user=f"{user.uid}:{user.gid}")
    sites = json.loads(image.labels.get(SITES_LABEL, "[]"))
    with progress.step("load compiled modules"), Container(engine, plan) as container:
        container.put("/", tar_of(users))
        variables = qemu_environment(cell, engine)
        return loaded_records(container, cell, ran, abi, sites, variables)


@dataclass(frozen=True)
class _Records:
    """What is known of an environment's content."""

    install: InstallRecord
    abi: AbiRecord
    inside: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of each file of our code in the image that runs; empty for the environment's."""


def _read_records(container: Container) -> _Records:
    try:
        texts = {"install": container.read(RECORD), "abi": container.read(ABI)}
        return decode(_Records, {name: parse(text) for name, text in texts.items()})
    except ValueError as error:
        raise InstallError(
            f"the environment's own records cannot be read: {error}",
            next_step="create it again: --arm64-refresh",
        ) from None


def _user_entries(container: Container, user: User) -> dict[str, TarEntry]:
    """``/etc/passwd`` and ``/etc/group`` with the user, as tests that ask ``getpass`` expect."""
    passwd = container.read("/etc/passwd").decode("utf-8", "surrogateescape")
    group = container.read("/etc/group").decode("utf-8", "surrogateescape")
    if not any(line.split(":")[2:3] == [str(user.uid)] for line in passwd.splitlines()):
        passwd += f"{user.name}:x:{user.uid}:{user.gid}::{user.home}:/bin/sh\n"
    if not any(line.split(":")[2:3] == [str(user.gid)] for line in group.splitlines()):
        group += f"{user.name}:x:{user.gid}:\n"
    return {
        "/etc/passwd": TarEntry(passwd.encode("utf-8", "surrogateescape")),
        "/etc/group": TarEntry(group.encode("utf-8", "surrogateescape")),
        user.home: TarEntry(mode=0o755),
    }
