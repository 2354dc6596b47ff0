"""`pytest-arm64 setup`: mends what this user may mend, and says what needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine.address import podman_socket
from ..engine.binfmt import TABLE, Handler, aarch64_handlers
from ..engine.endpoint import Engine, open_engine
from ..engine.images import find_image, get_image
from ..errors import Arm64Error, EngineError

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..progress import Progress

DONE, NOTHING, LEFT = "done", "nothing to do", "left"

QEMU = ("qemu-aarch64-static", "qemu-aarch64")
# Magic and mask of binfmt_misc: a 64-bit little-endian ELF program or shared object for aarch64.
_MAGIC = (
    r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
)


@dataclass(frozen=True)
class Action:
    """One thing that was mended, or could not be."""

    name: str
    state: str
    detail: str
    next_step: str = ""


def mend(settings: Settings, progress: Progress) -> Iterator[Action]:
    """Do what can be done, in the order in which a run needs it."""
    started = start_podman()
    if started is not None:
        yield started
    try:
        with open_engine() as engine:
            yield Action("engine", NOTHING, f"version {engine.version} answers")
            if engine.machine != "aarch64" and engine.local:
                yield register_emulation()
            yield _image(engine, settings, progress)
    except EngineError as error:
        yield Action("engine", LEFT, error.what, error.next_step)


def start_podman(run: Callable[..., object] = subprocess.run) -> Action | None:
    """Start Podman's socket for this user where there is no other engine, and Podman is there."""
    if os.environ.get("DOCKER_HOST") or Path("/var/run/docker.sock").exists():
        return None
    if not podman_socket():
        if not (shutil.which("podman") and shutil.which("systemctl")):
            return None
        run(
            ["systemctl", "--user", "start", "podman.socket"],
            check=False,
            stderr=subprocess.DEVNULL,
        )
    if not podman_socket():
        return Action("podman", LEFT, "its socket could not be started", "podman system service")
    return Action(
        "podman",
        DONE,
        f"its socket is {podman_socket()}",
        f"export DOCKER_HOST=unix://{podman_socket()}",
    )


def register_emulation(table: Path = TABLE) -> Action:
    """See that this kernel has a handler for aarch64 that works in containers."""
    handlers = aarch64_handlers(table)
    if any(handler.in_containers for handler in handlers):
        return Action("emulation", NOTHING, f"{handlers[0].name} is registered with the flag F")
    program = next(filter(None, map(shutil.which, QEMU)), None)
    if program is None:
        return Action(
            "emulation",
            LEFT,
            "qemu's user emulation is not installed",
            "as root: apt-get install qemu-user-static, or dnf install qemu-user-static-aarch64",
        )
    if not os.access(table / "register", os.W_OK):
        return Action(
            "emulation",
            LEFT,
            f"{program} is not registered for containers, and only root may do that",
            "sudo pytest-arm64 setup",
        )
    return _register(table, handlers, program)


def _register(table: Path, handlers: list[Handler], program: str) -> Action:
    try:
        for handler in handlers:
            (table / handler.name).write_text("-1")
        # F has the kernel open the program now, so that no container needs a copy of it.
        (table / "register").write_text(f":qemu-aarch64:M::{_MAGIC}:{program}:POCF")
    except OSError as error:
        return Action("emulation", LEFT, f"the kernel refused: {error}", "scripts/engine up")
    return Action("emulation", DONE, f"{program} is registered with the flag F")


def _image(engine: Engine, settings: Settings, progress: Progress) -> Action:
    reference = settings.base.replace("{arch}", "arm64")
    try:
        image = find_image(engine, reference)
        if image is not None and image.architecture == "arm64":
            return Action("image", NOTHING, f"{reference} is here for arm64")
        get_image(engine, reference, "arm64", progress, offline=False)
    except Arm64Error as error:
        return Action("image", LEFT, error.what, error.next_step)
    return Action("image", DONE, f"{reference} is here for arm64")
