"""The conformance suite's cases in C, compiled where a target's sources are: in its builder."""

from __future__ import annotations

import base64
import binascii
import hashlib
from importlib import resources

from .. import cache
from ..config.cell import Cell
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..errors import InstallError
from ..progress import Progress
from .provision import builder, provisioned
from .tree import TarEntry, tar_of

LIBRARY = "conformance/cases.so"
"""Name of the library below ``$PYTEST_ARM64_OUT``, where the suite looks for it."""
_KIND = "conformance"
_COMPILE = "gcc -O2 -shared -fPIC -w -o /tmp/cases.so /tmp/cases.c -lm"


def native_cases(engine: Engine, cell: Cell, progress: Progress, *, offline: bool) -> bytes:
    """The shared library for *cell*, compiled once for each builder.

    Raises:
        InstallError: it does not compile; the builder's compiler says why.
        ImageError, EngineError, EmulationError: see each.
    """
    base, ran = provisioned(engine, cell, progress, offline=offline)
    compiler = builder(engine, cell, base, ran, progress, offline=offline)
    source = (resources.files("pytest_arm64.conformance") / "cases.c").read_bytes()
    key = cache.digest([hashlib.sha256(source).hexdigest(), compiler.id, _COMPILE])
    cached = (cache.load(_KIND, key) or {}).get("library")
    if isinstance(cached, str):
        try:
            return base64.b64decode(cached, validate=True)
        except binascii.Error:
            pass  # damaged: made anew
    plan = Plan(image=compiler.id, platform=cell.platform)
    with progress.step("compile the cases in C"), Container(engine, plan) as container:
        container.put("/tmp", tar_of({"cases.c": TarEntry(source)}))  # noqa: S108  (in the container)
        done = container.run(["sh", "-c", _COMPILE], environment=qemu_environment(cell, engine))
        if done.code != 0:
            raise InstallError(
                "the conformance suite's C does not compile in the builder",
                next_step="give the target a builder with gcc and the headers of the C library",
                log=done.text,
            )
        library = container.read("/tmp/cases.so")  # noqa: S108  (in the container)
    cache.store(_KIND, key, {"library": base64.b64encode(library).decode()})
    return library
