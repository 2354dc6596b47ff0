"""A container that is limited as a Lambda function is, and the variables that a function has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..config.lambda_limits import LambdaLimits, in_words
from ..config.services import ServiceConfig
from ..config.settings import Settings
from ..engine.container_plan import Plan
from ..engine.endpoint import Engine
from .function_record import function_variables

_PROCESSORS_FOLDER = "/sys/devices/system/cpu"


def processors_of(limits: LambdaLimits, engine: Engine, *, emulated: bool) -> float:
    """How many processors a container with *limits* may use; 0 for all of the engine's.

    Time under emulation is not judged, so that a container has at least one there.
    """
    if not (limits.processors and engine.processors):
        return 0.0
    share = max(1.0, limits.processors) if emulated else limits.processors
    return min(share, float(engine.processors))


def as_function(plan: Plan, limits: LambdaLimits, processors: float) -> Plan:
    """*plan* with *limits* and *processors*, as from ``processors_of``.

    The file system is read-only but for ``/tmp`` and what the plan mounts otherwise. A function
    cannot read the files about processors either: the folder is covered by an empty one.
    """
    note = f"{plan.memory_note}. Files in /tmp count as memory here" if plan.memory_note else ""
    return replace(
        plan,
        tmpfs={
            "/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={limits.temporary}",  # noqa: S108  (in the container)
            _PROCESSORS_FOLDER: "ro,size=4k",
        },
        memory_note=note,
        ipc="none",
        open_files=limits.open_files,
        processes=limits.processes,
        processors=processors,
    )


def limits_in_words(settings: Settings, engine: Engine, *, emulated: bool) -> tuple[str, ...]:
    """What a container is limited to as a function is; nothing where it has no such limits."""
    limits = settings.limits
    return in_words(limits, processors_of(limits, engine, emulated=emulated)) if limits else ()


def function_environment(settings: Settings, service: ServiceConfig) -> Mapping[str, str]:
    """Variables of a container that is limited as a function of *service* is; else none."""
    return function_variables(settings, service) if settings.limits is not None else {}
