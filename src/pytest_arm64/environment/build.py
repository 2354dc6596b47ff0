"""An environment: found again by what went into it, else made, committed and tagged last."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..cell import Cell, Ran
from ..engine.container import Container, Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL, Engine
from ..engine.images import Base, find_image, remove_derived
from ..errors import InstallError
from ..progress import Progress
from ..settings import Settings
from . import pip_installer
from .manifests import read_manifest
from .pipconfig import PipConfig
from .provision import builder, provisioned
from .record import InstallRecord
from .runner import runner_requirements
from .tree import INSIDE, OUT, PYTHON, RECORD, RESULTS, Entry, tar_of, with_parents

if TYPE_CHECKING:
    from importlib.abc import Traversable

FORMAT = 1
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
    reused: bool
    user: User
    path: str = ""
    """The image's own ``PATH``."""


def calling_user() -> User:
    """The user of this process, by number even where the system has no name for it."""
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
    key = cache.digest(
        {
            "format": FORMAT,
            "base": base.id,
            "target": cell.target.name,
            "installer": pip_installer.pip_name(),
            "runner": runner,
            "pip": config.fingerprint(),
            **({"pins": pins} if pins else {}),
            **manifest.fingerprint(),
        }
    )[:20]
    tag = f"{LABEL}/environment:{key}"
    image = None if settings.refresh else find_image(engine, tag)
    reused = image is not None
    if image is None:
        if settings.offline:
            raise InstallError(
                "this project's environment is not here, and --arm64-offline forbids installing",
                next_step="run once without --arm64-offline",
            )
        request = pip_installer.Request(manifest, runner, config, pins)
        image = _install(engine, cell, base, ran, request, tag, progress)
    user = calling_user()
    run_tag, record = _run_image(engine, cell, image, key, user)
    return Environment(key, run_tag, ran, record, reused, user, image.path)


def _install(
    engine: Engine,
    cell: Cell,
    base: Base,
    ran: Ran,
    request: pip_installer.Request,
    tag: str,
    progress: Progress,
) -> Base:
    began = time.monotonic()
    former = find_image(engine, tag)
    with_compiler = builder(engine, cell, base, ran, progress)
    installed, files = pip_installer.install(engine, cell, ran, with_compiler, request, progress)
    with (
        files,
        progress.step("make the environment image"),
        Container(engine, Plan(image=base.id, platform=cell.platform)) as container,
    ):
        container.put("/", tar_of({"/opt": Entry(mode=0o755)}))
        container.put("/opt", files)
        record = InstallRecord(
            packages=tuple(installed),
            installer=pip_installer.pip_name(),
            made_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - began, 1),
        )
        container.put("/", tar_of({RECORD: Entry(json.dumps(record.to_json()).encode())}))
        container.commit(tag, {f"{LABEL}.base": base.id})
    image = find_image(engine, tag)
    assert image is not None
    if former is not None and former.id != image.id:
        remove_derived(engine, former)
    return image


def _run_image(
    engine: Engine, cell: Cell, image: Base, key: str, user: User
) -> tuple[str, InstallRecord]:
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
            return tag, InstallRecord.from_json(cache.load("records", digest) or {})
    with Container(engine, Plan(image=image.id, platform=cell.platform)) as container:
        record = _read_record(container)
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
    cache.store("records", digest, record.to_json())
    return tag, record


def _read_record(container: Container) -> InstallRecord:
    try:
        return InstallRecord.from_json(json.loads(container.read(RECORD)))
    except ValueError as error:
        raise InstallError(
            f"the environment's own record cannot be read: {error}",
            next_step="make it anew: --arm64-refresh",
        ) from None


def inside_files() -> dict[str, bytes]:
    """Our code for the inside, by path below the folder that is put on its ``sys.path``.

    ``inside/`` becomes a package of its own, with the rooms that its fixtures need.
    """
    ours = resources.files("pytest_arm64")
    files = dict(_files_of(ours / "inside", PACKAGE))
    for room in ("fixtures", "golden"):
        files |= _files_of(ours / room, f"{PACKAGE}/{room}")
    files[f"{PACKAGE}/errors.py"] = (ours / "errors.py").read_bytes()
    return files


def _files_of(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files_of(entry, f"{name}/{entry.name}")
        elif entry.name.endswith(".py"):
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
