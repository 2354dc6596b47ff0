"""A target's markers and wheel tags, as pure functions of what the target declares."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from packaging.requirements import Requirement
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import BuildTag

from ..config.targets import MACHINES, Target
from ..errors import SettingsError

TagKey = tuple[str, str, str]
_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
# aarch64 began with manylinux2014; nothing older was ever defined for it.
_OLDEST = {"arm64": 17, "amd64": 5}
# The newest GLIBCXX symbol that a wheel may need, by the manylinux policy of its tag; for aarch64.
# Source: auditwheel 6.8, policy/manylinux-policy.json. A policy without an entry has that of the
# one before it.
_LIBSTDCXX = {
    (2, 17): "3.4.19",
    (2, 24): "3.4.22",
    (2, 26): "3.4.24",
    (2, 31): "3.4.28",
    (2, 34): "3.4.29",
    (2, 35): "3.4.30",
    (2, 39): "3.4.33",
}
_MANYLINUX = re.compile(r"manylinux_([0-9]{1,4})_([0-9]{1,4})_(\w+)\Z")


@dataclass(frozen=True)
class Platform:
    """What decides which files a target can use: markers, and tags in order of preference."""

    architecture: str
    python: tuple[int, int]
    glibc: tuple[int, int]
    markers: Mapping[str, str]
    ranks: Mapping[TagKey, int]
    """Position of each supported tag; the lowest is preferred."""

    @property
    def machine(self) -> str:
        return MACHINES[self.architecture]

    @property
    def python_version(self) -> str:
        """A full version for ``requires-python``."""
        return self.markers["python_full_version"]

    def calls_for(self, requirement: Requirement, extra: str = "") -> bool:
        """Whether the markers call for *requirement*; what cannot be judged counts as yes."""
        if requirement.marker is None:
            return not extra
        try:
            return requirement.marker.evaluate({**self.markers, "extra": extra})
        except (ValueError, KeyError):  # a variable that only locks have
            return True


@lru_cache(maxsize=64)
def platform_of(target: Target, architecture: str = "arm64") -> Platform:
    """Markers and tags of *target* on *architecture*.

    Raises:
        SettingsError: the target declares no glibc, or no CPython minor.
    """
    glibc = _pair(target.glibc)
    python = _pair(target.python)
    if glibc is None or glibc[0] != 2 or python is None:
        raise SettingsError(
            f"the target {target.name} declares glibc {target.glibc!r}, Python {target.python!r}",
            why="which wheels fit is decided by both",
            next_step=f'give it glibc = "2.34" and python = "3.12" in '
            f"[tool.pytest-arm64.targets.{target.name}]",
        )
    return Platform(
        architecture,
        python,
        glibc,
        marker_environment(python, MACHINES[architecture]),
        ranked(ordered_tags(python, architecture, glibc)),
    )


def marker_environment(python: tuple[int, int], machine: str) -> dict[str, str]:
    """PEP 508 variables of CPython *python* on Linux.

    The patch level is not declared. A high one stands for it: distributions follow the patches,
    and markers and ``requires-python`` exclude early ones.
    """
    minor = f"{python[0]}.{python[1]}"
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{minor}.99",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{minor}.99",
        "python_version": minor,
        "sys_platform": "linux",
    }


def ordered_tags(
    python: tuple[int, int], architecture: str, glibc: tuple[int, int]
) -> tuple[TagKey, ...]:
    """Supported (interpreter, abi, platform) tags, the preferred first."""
    return tags_on(python, platform_tags(architecture, glibc))


def ranked(tags: Iterable[TagKey]) -> dict[TagKey, int]:
    """The position of each of *tags*; of one that comes twice, the first."""
    return {tag: rank for rank, tag in enumerate(dict.fromkeys(tags))}


def tags_on(python: tuple[int, int], platforms: Sequence[str]) -> tuple[TagKey, ...]:
    """Tags of CPython *python* on *platforms*, the preferred first."""
    interpreter = f"cp{python[0]}{python[1]}"
    tags = (
        *cpython_tags(python, abis=[interpreter], platforms=platforms),
        *compatible_tags(python, interpreter, platforms),
    )
    return tuple((tag.interpreter, tag.abi, tag.platform) for tag in tags)


def platform_tags(architecture: str, glibc: tuple[int, int]) -> tuple[str, ...]:
    """Platform tags of *architecture* with *glibc*, the preferred first."""
    machine = MACHINES[architecture]
    tags = [f"linux_{machine}"]
    for minor in range(glibc[1], _OLDEST[architecture] - 1, -1):
        tags.append(f"manylinux_2_{minor}_{machine}")
        if (2, minor) in _LEGACY:
            tags.append(f"{_LEGACY[2, minor]}_{machine}")
    return tuple(tags)


def glibc_floor(platform_tag: str, machine: str) -> tuple[int, int] | None:
    """The oldest glibc that *platform_tag* asks for, None where it is no manylinux of *machine*."""
    match = _MANYLINUX.match(platform_tag)
    if match:
        return (int(match[1]), int(match[2])) if match[3] == machine else None
    for glibc, name in _LEGACY.items():
        if platform_tag == f"{name}_{machine}":
            return glibc
    return None


def libstdcxx_of(glibc: tuple[int, int]) -> str:
    """The newest ``GLIBCXX`` that a wheel for manylinux *glibc* may need; empty below them all."""
    return next((v for floor, v in reversed(_LIBSTDCXX.items()) if floor <= glibc), "")


def wheel_tags(filename: str) -> tuple[list[str], list[str], list[str]] | None:
    """Interpreters, ABIs and platforms in a wheel's name; None where it is no wheel's name."""
    parts = filename[: -len(".whl")].split("-")
    if len(parts) not in (5, 6):
        return None
    python, abi, platform = (part.lower().split(".") for part in parts[-3:])
    return python, abi, platform


def build_number(filename: str) -> BuildTag:
    """The build tag of a wheel's name, which breaks ties."""
    parts = filename[: -len(".whl")].split("-")
    match = re.match(r"(\d{1,9})(.*)", parts[2]) if len(parts) == 6 else None
    return (int(match[1]), match[2]) if match else ()


def _pair(version: str) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,3})\.(\d{1,3})\Z", version)
    return (int(match[1]), int(match[2])) if match else None
