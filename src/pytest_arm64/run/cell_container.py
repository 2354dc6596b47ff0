"""The container of one cell: least privileged, the calling user, the project at its own path."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import cache
from ..config.cell import Cell
from ..config.settings import Settings, passed_variables
from ..engine.container import MOST_READ, Container
from ..engine.container_plan import Mount, Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..environment.build import Environment, User
from ..environment.inside_files import check_unchanged
from ..environment.tree import ENV, HOME, INSIDE, OUT, TESTS, TarEntry, copy_of, tar_of
from ..errors import EngineError
from .arguments import forwarded_variables
from .lambda_container import as_function, processors_of
from .mounts import project_mounts, read_only_mounts

EMULATED_MEMORY_FACTOR = 2
_MEMORY_SETTING = "the setting memory (--arm64-memory)"
_CHECKED = "checked-images"
"""Kind of cached record: in which images our code is as it was made."""
_NOBODY = 65534
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def cell_environment(
    engine: Engine,
    cell: Cell,
    environment: Environment,
    settings: Settings,
    environ: Mapping[str, str],
) -> dict[str, str]:
    """Every variable that the tests get beyond the image's own."""
    user = environment.user
    return {
        "PATH": f"{ENV}/bin:{TESTS}/bin:{environment.path or _SYSTEM_PATH}",
        "HOME": user.home,
        "USER": user.name,
        "LC_ALL": "C.UTF-8",
        "PYTEST_ARM64_RECORDS": HOME,
        **_coverage_environment(environment),
        **qemu_environment(cell, engine),
        **forwarded_variables(environ),
        **passed_variables(settings, environ),
    }


def _coverage_environment(environment: Environment) -> dict[str, str]:
    """Where coverage is among the packages: test packages are third-party code to it.

    It takes for that what lies in a folder of the interpreter's installation schemes, of which
    the user's is the only one that can be chosen.
    """
    names = {package.name.lower() for package in environment.record.packages}
    return {"PYTHONUSERBASE": TESTS} if "coverage" in names else {}


@contextmanager
def cell_container(
    engine: Engine,
    cell: Cell,
    environment: Environment,
    settings: Settings,
    *,
    copied: bool = False,
    writable: Collection[Path] = (),
) -> Iterator[tuple[Container, bool]]:
    """A running container, and whether the project is mounted (True) or copied into it.

    A marker file tells: an engine elsewhere has no such file at that path, or another folder.
    *copied* asks for a copy in any case. Where a function's limits make the project read-only,
    tests can write to *writable*, folders of the tools that run them.
    """
    if not copied:
        mounts = _mounts(settings, writable)
        container = _mounted(
            engine, cell_plan(engine, cell, environment, settings, mounts), settings.root
        )
        if container is not None:
            with _left_at_the_end(container):
                _check_agent(container, environment)
                yield container, True
            return
    copy = Container(engine, cell_plan(engine, cell, environment, settings, []))
    with _left_at_the_end(copy) as container:
        container.start()
        _check_agent(container, environment)
        user = environment.user
        root = settings.root
        if settings.read_only:
            other = _NOBODY if user.uid != _NOBODY else _NOBODY - 1
            container.put(
                str(root), copy_of(root, below=root, uid=other, gid=other, writable=False)
            )
            container.put(str(root), _own_folders(writable, root, user))
            _set_mode(container, root, 0o555)
        else:
            container.put(str(root), copy_of(root, below=root, uid=user.uid, gid=user.gid))
            if user.uid != 0:
                _set_mode(container, root, 0o777)
        yield container, False


@contextmanager
def _left_at_the_end(container: Container) -> Iterator[Container]:
    try:
        yield container
    finally:
        container.leave()


def _mounts(settings: Settings, writable: Collection[Path]) -> list[Mount]:
    if settings.read_only:
        return read_only_mounts(settings.root, writable, os.environ)
    return project_mounts(settings.root, os.environ)


def _own_folders(folders: Collection[Path], root: Path, user: User) -> bytes:
    """A tar of empty *folders* of the *user*, named relative to *root*."""
    entry = TarEntry(mode=0o755, uid=user.uid, gid=user.gid)
    return tar_of({folder.relative_to(root).as_posix(): entry for folder in folders})


def _set_mode(container: Container, root: Path, mode: int) -> None:
    """Set the mode of *root* itself: it is a volume, which belongs to root whatever is put in."""
    container.run(["chmod", f"{mode:o}", str(root)], user="0:0")


def _check_agent(container: Container, environment: Environment) -> None:
    """Check our code in *container* before anything is started of it.

    Once for each image: its id is the hash of what is in it, and nothing but ``cat`` runs in a
    new container, whose root file system cannot be written.

    Raises:
        InstallError: it is not what the image was made with.
    """
    image = container.image_id
    key = cache.digest([image, dict(environment.inside)])
    if image and cache.load(_CHECKED, key) is not None:
        return
    with container.fetch(INSIDE, MOST_READ) as archive:
        check_unchanged(archive, environment.inside)
    if image:
        cache.store(_CHECKED, key, {})


def _mounted(engine: Engine, plan: Plan, root: Path) -> Container | None:
    """A container that sees *root*; None where the engine has no such folder, or another one."""
    container = Container(engine, plan)
    try:
        container.start()
        if _sees(container, root):
            return container
    except EngineError as error:
        if "source path does not exist" not in str(error):
            container.close()
            raise
    container.close()
    return None


def cell_plan(
    engine: Engine,
    cell: Cell,
    environment: Environment,
    settings: Settings,
    mounts: Sequence[Mount],
) -> Plan:
    """How the container of *cell* is created, with *mounts* of the project; none: for a copy."""
    user = environment.user
    limit, note = _memory(settings, emulated=environment.ran.emulated)
    root = str(settings.root)
    plan = Plan(
        image=environment.image,
        platform=cell.platform,
        user=f"{user.uid}:{user.gid}",
        mounts=mounts,
        volumes=[OUT] if mounts else [OUT, root],
        tmpfs=_tmpfs(user, podman=engine.podman),
        network=settings.network,
        memory=limit,
        memory_note=note,
        shm_size=settings.shm_size,
        read_only=True,
    )
    limits = settings.limits
    if limits is None:
        return plan
    emulated = environment.ran.emulated
    return as_function(plan, limits, processors_of(limits, engine, emulated=emulated))


def _memory(settings: Settings, *, emulated: bool) -> tuple[int, str]:
    """Bytes that a container may use, and what it means that it used more.

    qemu needs memory of its own, so that under emulation the limit only protects the machine.
    """
    if not settings.memory:
        return 0, ""
    said = f"{settings.memory // 2**20} MB"
    if not emulated:
        return settings.memory, f"out of memory: it needs more than the {said} of {_MEMORY_SETTING}"
    return (
        settings.memory * EMULATED_MEMORY_FACTOR,
        f"out of memory: more than {EMULATED_MEMORY_FACTOR} times the {said} of {_MEMORY_SETTING}. "
        "Emulation needs memory of its own: this says nothing about an ARM machine",
    )


def _tmpfs(user: User, *, podman: bool) -> dict[str, str]:
    owned = "mode=0700" if user.uid == 0 else f"mode=0700,uid={user.uid},gid={user.gid}"
    if podman and user.uid != 0:
        owned = "mode=1777"  # it knows no owners of a tmpfs
    # Tests compile and load libraries in their temporary folders: exec, unlike Docker's default.
    return {
        "/tmp": "rw,exec,nosuid,nodev,mode=1777",  # noqa: S108
        "/var/tmp": "rw,exec,nosuid,nodev,mode=1777",  # noqa: S108
        user.home: f"rw,exec,nosuid,nodev,{owned}",
    }


def _sees(container: Container, root: Path) -> bool:
    marker = root / f".pytest-arm64-{uuid.uuid4().hex}"
    try:
        marker.touch(exist_ok=False)
    except OSError:
        # A folder that this user cannot write to is compared by what it lists.
        listed = (
            container.run(["ls", "-A", str(root)]).stdout.decode("utf-8", "replace").split("\n")
        )
        return sorted(filter(None, listed)) == sorted(path.name for path in root.iterdir())
    try:
        return container.has(str(marker))
    except EngineError:
        return False
    finally:
        marker.unlink(missing_ok=True)
