"""Look into an image: which machine, system, C library and Python it really has."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from .. import cache
from ..config.cell import Cell, ImageFacts, Python
from ..config.targets import MACHINES
from ..errors import EmulationError, EngineError, ImageError
from .binfmt import aarch64_handlers, explanation
from .container import Container
from .container_plan import Plan
from .emulation import emulated_name, emulator_version, native_name, qemu_environment
from .endpoint import Engine
from .images import Base

FORMAT = 4
_NO_PYTHON = 42
# Runs the first interpreter of "$@" that exists; else tells the system's name. With QEMU_VERSION
# set, qemu prints its version instead of running a program; other emulators run it.
_SCRIPT = """
(QEMU_VERSION=1; export QEMU_VERSION; exec cat /dev/null) >&2
for python in "$@"; do
  if command -v "$python" >/dev/null 2>&1; then exec "$python" -I -c "$PYTEST_ARM64_PROBE"; fi
done
if [ -r /etc/os-release ]; then . /etc/os-release; fi
echo "$ID $VERSION_ID"
exit 42
"""
_MINIMUM_PYTHON = (3, 10)


@dataclass(frozen=True)
class NoPython:
    """The image has none of the interpreters that were looked for."""

    os: str


def probe(
    engine: Engine, cell: Cell, base: Base, interpreters: Sequence[str]
) -> ImageFacts | NoPython:
    """What *base* is, by running the first of *interpreters* in it; remembered by image id.

    Raises:
        EmulationError: the engine cannot execute this architecture, or not as this core.
        ImageError: the image runs as another machine than it says, or its Python is too old.
    """
    emulated = MACHINES[cell.architecture] != engine.machine
    emulator = _emulator_file(engine) if emulated else ""
    key = cache.digest([FORMAT, base.id, list(interpreters), cell.core, engine.machine, emulator])
    facts = cache.load("probes", key)
    if facts is None or not _complete(facts):
        facts = _look(engine, cell, base, interpreters, emulated=emulated)
        cache.store("probes", key, facts)
    if "python" not in facts:
        return NoPython(os=str(facts["os"]))
    return _ran(engine, cell, base, facts)


_TEXTS = ("machine", "os", "os_name", "glibc", "libstdcxx")
_CPU_TEXTS = ("implementer", "part")
_PYTHON_TEXTS = ("executable", "version", "minor", "cache_tag", "magic", "purelib", "library")


def _complete(facts: Mapping[str, Any]) -> bool:
    """Whether *facts* are what the probe tells, or the name of a system without Python."""
    if facts.keys() == {"os"}:
        return isinstance(facts["os"], str)
    python, cpu = facts.get("python"), facts.get("cpu")
    return (
        _has_texts(facts, _TEXTS)
        and isinstance(facts.get("page_size"), int)
        and isinstance(cpu, dict)
        and _has_texts(cpu, _CPU_TEXTS)
        and isinstance(python, dict)
        and python.keys() == {*_PYTHON_TEXTS, "compiled"}
        and _has_texts(python, _PYTHON_TEXTS)
        and isinstance(python["compiled"], bool)
        and re.fullmatch(r"\d{1,3}\.\d{1,3}", python["minor"]) is not None
    )


def _has_texts(mapping: Mapping[str, Any], keys: Sequence[str]) -> bool:
    return all(isinstance(mapping.get(key), str) for key in keys)


def _look(
    engine: Engine, cell: Cell, base: Base, interpreters: Sequence[str], *, emulated: bool
) -> dict[str, Any]:
    source = resources.files("pytest_arm64.inside").joinpath("probe.py").read_text("utf-8")
    plan = Plan(image=base.id, platform=cell.platform, environment={"LC_ALL": "C.UTF-8"})
    try:
        with Container(engine, plan) as container:
            finished = container.run(
                ["sh", "-c", _SCRIPT, "probe", *interpreters],
                environment={
                    "PYTEST_ARM64_PROBE": source,
                    **qemu_environment(cell, engine),
                },
            )
    except EngineError as error:
        if emulated:
            raise _no_emulation(engine, cell, error) from None
        raise
    if "unable to find CPU model" in finished.text:
        raise EmulationError(
            f"the emulator does not know the core that stands for {cell.core}",
            why="a run on qemu's own invented core finds faults that no Graviton has",
            next_step="install qemu 8.2 or newer (scripts/engine up does), "
            "or --arm64-cpu graviton2",
        )
    if "exec format error" in finished.text.lower():
        raise _no_emulation(engine, cell, finished.text)
    if finished.code == _NO_PYTHON:
        return {"os": finished.stdout.decode("utf-8", "replace").strip()}
    try:
        facts = json.loads(finished.stdout)
    except (ValueError, RecursionError):
        facts = None
    if finished.code != 0 or not isinstance(facts, dict) or not _complete(facts):
        raise ImageError(
            f"looking into {base.reference} failed with exit code {finished.code}: "
            f"{finished.text.strip()[-400:]}"
        )
    version = emulator_version(finished.stderr.decode("utf-8", "replace")) if emulated else ""
    return {**facts, "emulator": version}


def _emulator_file(engine: Engine) -> str:
    """What tells one version of this machine's emulator from another; empty of another engine's."""
    if not engine.local:
        return ""
    paths = [Path(handler.interpreter) for handler in aarch64_handlers() if handler.interpreter]
    return " ".join(f"{p} {p.stat().st_mtime_ns}" for p in paths if p.is_file())


def _ran(engine: Engine, cell: Cell, base: Base, facts: dict[str, Any]) -> ImageFacts:
    python = Python(**facts["python"])
    if facts["machine"] != MACHINES[cell.architecture]:
        raise ImageError(
            f"{base.reference} runs as {facts['machine']}, not {MACHINES[cell.architecture]}",
            why="its results would say nothing about the requested architecture",
            next_step=f"docker pull --platform {cell.platform} {base.reference}",
        )
    if tuple(map(int, python.minor.split("."))) < _MINIMUM_PYTHON:
        raise ImageError(
            f"{base.reference} has Python {python.version}; 3.10 is the oldest that works",
            next_step="choose another target or image",
        )
    emulated = facts["machine"] != engine.machine
    core = (
        (emulated_name(cell.core) if _is_arm(cell) else "qemu's default")
        if emulated
        else native_name(facts["cpu"]["implementer"], facts["cpu"]["part"])
    )
    return ImageFacts(
        image=base.reference,
        image_id=base.id,
        digest=base.digest,
        machine=facts["machine"],
        os=facts["os"],
        os_name=facts["os_name"],
        glibc=facts["glibc"],
        libstdcxx=facts["libstdcxx"],
        python=python,
        page_size=facts["page_size"],
        engine_machine=engine.machine,
        core=core,
        emulator=str(facts.get("emulator", "")),
    )


def _is_arm(cell: Cell) -> bool:
    return cell.architecture == "arm64"


def _no_emulation(engine: Engine, cell: Cell, detail: object) -> EmulationError:
    reason = str(detail).strip()
    next_step = (
        "scripts/engine up, or register qemu with the F flag: "
        "docker run --privileged --rm tonistiigi/binfmt --install arm64"
    )
    if engine.local and cell.architecture == "arm64":
        reason, next_step = explanation(aarch64_handlers())
    return EmulationError(
        f"this {engine.machine} engine cannot execute {cell.platform} programs: {reason}",
        why="without emulation only an ARM machine can run the tests",
        next_step=next_step,
    )
