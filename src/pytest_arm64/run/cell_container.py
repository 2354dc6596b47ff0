"""The container of one cell: least privileged, the calling user, the project at its own path."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from ..cell import Cell
from ..engine.container import Container, Mount, Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..environment.build import Environment, User
from ..environment.tree import ENV, HOME, OUT, TESTS, copy_of
from ..errors import EngineError
from ..settings import Settings, passed_variables
from .arguments import forwarded_variables

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
        **qemu_environment(cell, engine),
        **forwarded_variables(environ),
        **passed_variables(settings, environ),
    }


@contextmanager
def cell_container(
    engine: Engine,
    cell: Cell,
    environment: Environment,
    settings: Settings,
    *,
    copied: bool = False,
) -> Iterator[tuple[Container, bool]]:
    """A running container, and whether the project is mounted (True) or copied into it.

    A marker file tells: an engine elsewhere has no such file at that path, or another folder.
    *copied* asks for a copy in any case.
    """
    if not copied:
        container = _mounted(
            engine, cell_plan(cell, environment, settings, mounted=True), settings.root
        )
        if container is not None:
            with closing(container):
                yield container, True
            return
    with Container(engine, cell_plan(cell, environment, settings, mounted=False)) as container:
        user = environment.user
        root = settings.root
        container.put(str(root), copy_of(root, below=root, uid=user.uid, gid=user.gid))
        yield container, False


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


def cell_plan(cell: Cell, environment: Environment, settings: Settings, *, mounted: bool) -> Plan:
    user = environment.user
    root = str(settings.root)
    return Plan(
        image=environment.image,
        platform=cell.platform,
        user=f"{user.uid}:{user.gid}",
        mounts=[Mount(root, read_only=False)] if mounted else [],
        volumes=[OUT] if mounted else [OUT, root],
        tmpfs=_tmpfs(user),
        network=settings.network,
        read_only=True,
    )


def _tmpfs(user: User) -> dict[str, str]:
    # Tests compile and load libraries in their temporary folders: exec, unlike Docker's default.
    return {
        "/tmp": "rw,exec,nosuid,nodev,mode=1777",  # noqa: S108
        "/var/tmp": "rw,exec,nosuid,nodev,mode=1777",  # noqa: S108
        user.home: f"rw,exec,nosuid,nodev,mode=0700,uid={user.uid},gid={user.gid}",
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
        container.fetch(str(marker)).close()  # no process has to be started for it
    except EngineError:
        return False
    else:
        return True
    finally:
        marker.unlink(missing_ok=True)
