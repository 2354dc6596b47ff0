"""An environment: found again by what went into it, else made, committed and tagged last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import cache
from ..artifact import IMAGE, Artifact
from ..binary.record import AbiRecord
from ..binary.scan import scan_tar, system_of_run, with_artifact
from ..cell import Cell, Ran, machine_of
from ..engine.container import Container, Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_image, remove_derived, remove_nameless
from ..errors import BuildError, InstallError
from ..progress import Progress, Step
from ..settings import Settings
from . import artifact_installer, pip_installer, plan_installer
from .artifact_files import fingerprint
from .consistency import broken, installed_in
from .deployment import install_deployed
from .failures import Tools
from .loading import load_all, modules_of
from .manifests import read_manifest
from .pipconfig import PipConfig
from .plan import lock_of
from .provision import builder, provisioned
from .record import InstallRecord
from .runner import runner_requirements
from .tree import (
    ABI,
    ENV,
    HOME,
    INSIDE,
    OUT,
    PYTHON,
    RECORD,
    RESULTS,
    TESTS,
    Entry,
    tar_of,
    with_parents,
)
from .workshop import Host

if TYPE_CHECKING:
    from importlib.abc import Traversable

    from ..audit.locks import Lock

FORMAT = 3
PACKAGE = "pytest_arm64_inside"
"""Name under which ``inside/`` is importable in a cell."""


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
    ran: Ran
    record: InstallRecord
    abi: AbiRecord
    reused: bool
    user: User
    path: str = ""
    """The image's own ``PATH``."""
    built_from: tuple[Path, ...] = ()
    """Folders of the project and its siblings of which a wheel was built and installed."""


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
) -> Environment:
    """The environment of *cell*, from the project's own files, with the host's pip *config*.

    *like* is the record of another architecture's, whose versions this one is to have.

    Raises:
        ImageError, EmulationError, InstallError, SettingsError, EngineError: see each.
    """
    base, ran = provisioned(engine, cell, progress, offline=settings.offline)
    manifest = read_manifest(settings, rootpath)
    runner = runner_requirements(manifest, ran.python.version)
    pins = like.pins() if like is not None else ()
    artifact = settings.artifact
    lock = lock_of(manifest) if artifact is None else None
    key = cache.digest(
        {
            "format": FORMAT,
            "base": base.id,
            "target": cell.target.name,
            "installer": [settings.installer, plan_installer.FORMAT, pip_installer.pip_name()],
            "runner": runner,
            "pip": config.fingerprint(),
            **({"pins": pins} if pins else {}),
            **({"lock": lock.digest} if lock is not None else {}),
            **({"artifact": _fingerprint(artifact)} if artifact is not None else {}),
            **manifest.fingerprint(),
        }
    )[:20]
    tag = f"{LABEL}/environment:{key}"
    image = None if settings.refresh else find_image(engine, tag)
    reused = image is not None
    if image is None:
        request = pip_installer.Request(manifest, runner, config, pins)
        host = Host(engine, cell, ran, lambda: builder(engine, cell, base, ran, progress))
        try:
            image = _install(host, base, request, settings, lock, tag, progress)
        except BuildError as error:
            error.facts = ran.to_json(cell.target)
            raise
    user = cell_user(engine)
    run_tag, records = _run_image(engine, cell, image, key, user)
    return Environment(
        key,
        run_tag,
        ran,
        records.install,
        records.abi,
        reused,
        user,
        image.path,
        tuple(path for path in manifest.copied if path.is_dir()),
    )


def _install(
    host: Host,
    base: Base,
    request: pip_installer.Request,
    settings: Settings,
    lock: Lock | None,
    tag: str,
    progress: Progress,
) -> Base:
    engine, cell, ran = host.engine, host.cell, host.ran
    began = time.monotonic()
    former = find_image(engine, tag)
    made, installer, fallback = install_deployed(host, base, request, settings, lock, progress)
    with (
        made.files as files,
        progress.step("make the environment image") as step,
        Container(engine, Plan(image=base.id, platform=cell.platform)) as container,
    ):
        container.put("/", tar_of({"/opt": Entry(mode=0o755)}))
        step.update("looking at compiled files")
        system = system_of_run(engine, base, ran)
        abi = scan_tar(f"environment {tag}", files, made.at, HOME, system, cell.target)
        if settings.artifact is not None:
            abi = with_artifact(abi, settings.artifact, engine, base, made.size, cell.target)
        unmet = broken((*installed_in(files), *made.there), _markers(cell, ran))
        container.put(made.at, files)
        if made.sites:
            container.put("/", tar_of(artifact_installer.paths_entry(ran.python, made.sites)))
        if made.uncompiled:
            step.update("compiling")
            compile_it = [PYTHON, "-m", "compileall", "-q", ENV, TESTS]
            container.run(compile_it, environment=qemu_environment(cell, engine))
        abi = _loaded(container, host, abi, made.sites, step)
        record = InstallRecord(
            packages=tuple(made.packages),
            installer=installer,
            made_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - began, 1),
            notes=made.notes,
            missing=made.missing,
            broken=tuple(unmet),
            fallback=fallback,
        )
        documents = {RECORD: record.to_json(), ABI: abi.to_json()}
        container.put("/", tar_of({p: Entry(json.dumps(d).encode()) for p, d in documents.items()}))
        container.commit(tag, {f"{LABEL}.base": base.id})
    cache.prune(cache.cache_folder(), limit=cache.LIMIT)
    image = find_image(engine, tag)
    assert image is not None
    if former is not None and former.id != image.id:
        remove_derived(engine, former)
    remove_nameless(engine)
    return image


def _markers(cell: Cell, ran: Ran) -> dict[str, str]:
    from ..audit.environment import marker_environment

    major, minor = ran.python.minor.split(".")
    found = marker_environment((int(major), int(minor)), machine_of(cell.architecture))
    full = {"python_full_version": ran.python.version, "implementation_version": ran.python.version}
    return {**found, **full}


def _loaded(
    container: Container,
    host: Host,
    abi: AbiRecord,
    sites: Sequence[str],
    step: Step,
) -> AbiRecord:
    """*abi* with how each compiled module of what is deployed, or of the tests, was imported."""
    ran = host.ran
    # Of folders that lie in each other, a module is imported from the innermost one.
    searched = sorted((*sites, *(f"{prefix}/{ran.python.purelib}" for prefix in (ENV, TESTS))))
    found = {
        module.path: module
        for site in searched
        for root in (f"{HOME}/", "/")  # paths in the record are relative to one of them, or to none
        for module in modules_of(abi, site.removeprefix(root))
    }
    modules = sorted(found.values(), key=lambda module: module.name)
    if not modules:
        return abi
    step.update(f"loading {len(modules)} compiled modules")
    tools = Tools(host.cell.target.recipe.name, ran.python.minor)
    variables = qemu_environment(host.cell, host.engine)
    return replace(abi, loads=load_all(container, modules, variables, tools, ran.machine))


def _fingerprint(artifact: Artifact) -> list[str]:
    """An image is known by its id, which counts anyway."""
    return [artifact.kind, fingerprint(artifact) if artifact.kind != IMAGE else ""]


def _run_image(
    engine: Engine, cell: Cell, image: Base, key: str, user: User
) -> tuple[str, _Records]:
    """The thin image that is run: *image*, our code for the inside, an entry for the user."""
    files = inside_files()
    digest = cache.digest(
        [
            *(FORMAT, image.id, user.uid, user.gid, user.name),
            {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        ]
    )
    tag = f"{LABEL}/run:{digest[:20]}"
    if find_image(engine, tag) is not None:
        with contextlib.suppress(ValueError):
            return tag, _Records.from_json(cache.load("records", digest) or {})
    with Container(engine, Plan(image=image.id, platform=cell.platform)) as container:
        records = _read_records(container)
        entries = with_parents({f"{INSIDE}/{name}": Entry(text) for name, text in files.items()})
        for folder in (OUT, RESULTS):
            entries[folder] = Entry(mode=0o700, uid=user.uid, gid=user.gid)
        entries |= _user_entries(container, user)
        container.put("/", tar_of(entries))
        compile_it = [PYTHON, "-m", "compileall", "-q", INSIDE]
        container.run(compile_it, environment=qemu_environment(cell, engine))
        container.commit(
            tag,
            {f"{LABEL}.environment": key, f"{LABEL}.base": image.id},
        )
    cache.store("records", digest, records.to_json())
    return tag, records


@dataclass(frozen=True)
class _Records:
    """What is known of an environment's content."""

    install: InstallRecord
    abi: AbiRecord

    def to_json(self) -> dict[str, Any]:
        return {"install": self.install.to_json(), "abi": self.abi.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> _Records:
        """Raises ValueError where one of them is damaged."""
        return cls(
            InstallRecord.from_json(data.get("install", {})),
            AbiRecord.from_json(data.get("abi", {})),
        )


def _read_records(container: Container) -> _Records:
    try:
        found = {"install": container.read(RECORD), "abi": container.read(ABI)}
        return _Records.from_json({name: json.loads(text) for name, text in found.items()})
    except ValueError as error:
        raise InstallError(
            f"the environment's own records cannot be read: {error}",
            next_step="make it anew: --arm64-refresh",
        ) from None


def inside_files() -> dict[str, bytes]:
    """Our code for the inside, by path below the folder that is put on its ``sys.path``.

    ``inside/`` becomes a package of its own, with the rooms that its fixtures need.
    """
    ours = resources.files("pytest_arm64")
    files = dict(_files_of(ours / "inside", PACKAGE))
    for room in ("fixtures", "golden", "measure"):
        files |= _files_of(ours / room, f"{PACKAGE}/{room}")
    files |= _files_of(ours / "conformance", "pytest_arm64/conformance")
    # A suite that is named as --pyargs pytest_arm64.conformance, here as on the host.
    files["pytest_arm64/__init__.py"] = (ours / "__init__.py").read_bytes()
    files[f"{PACKAGE}/errors.py"] = (ours / "errors.py").read_bytes()
    return files


def _files_of(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith((".py", ".c", ".json", ".npz")):
            yield f"{name}/{entry.name}", entry.read_bytes()


def _user_entries(container: Container, user: User) -> dict[str, Entry]:
    """``/etc/passwd`` and ``/etc/group`` with the user, as tests that ask ``getpass`` expect."""
    passwd = container.read("/etc/passwd").decode("utf-8", "surrogateescape")
    group = container.read("/etc/group").decode("utf-8", "surrogateescape")
    if not any(line.split(":")[2:3] == [str(user.uid)] for line in passwd.splitlines()):
        passwd += f"{user.name}:x:{user.uid}:{user.gid}::{user.home}:/bin/sh\n"
    if not any(line.split(":")[2:3] == [str(user.gid)] for line in group.splitlines()):
        group += f"{user.name}:x:{user.gid}:\n"
    return {
        "/etc/passwd": Entry(passwd.encode("utf-8", "surrogateescape")),
        "/etc/group": Entry(group.encode("utf-8", "surrogateescape")),
        user.home: Entry(mode=0o755),
    }
