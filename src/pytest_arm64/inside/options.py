"""The options of pytest-arm64: one table for both sides' parsers, what is forwarded, and the docs.

The session inside reads it too, because ``addopts`` and ``PYTEST_ADDOPTS`` reach both sides: it
must accept each of them. A row that is added here is an option everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from .light_tuple import LightTuple as NamedTuple

ARM64, MARKED, TRY = "--arm64", "--arm64-marked", "--arm64-try"
"""The two modes, without which pytest runs on the host as it does without the plugin; and the
option that others exclude."""
PREFIX = "--arm64-"
"""How all our options but the first begin; no other option may."""
CORES = ("graviton2", "graviton3", "graviton4", "graviton5")
"""The oldest first."""
FIXES = "fixes"
"""In place of a change to try: all that the audit proposes."""
AUTO = "auto"
"""In place of cores: those that the deployed code can tell apart."""
# AWS, EC2 user guide, "Instance types": families with a Graviton processor; read 2026-11-30.
_FAMILIES = {
    "graviton2": "t4g m6g m6gd c6g c6gd c6gn r6g r6gd x2gd im4gn is4gen i4g g5g",
    "graviton3": "m7g m7gd c7g c7gd c7gn r7g r7gd hpc7g",
    "graviton4": "m8g m8gd m8gn m8gb c8g c8gd c8gn r8g r8gd r8gn r8gb x8g i8g i8ge",
    "graviton5": "m9g c9g",
}
_FAMILY = {family: core for core, families in _FAMILIES.items() for family in families.split()}
PLAN, PIP = "plan", "pip"
INSTALLERS = (PLAN, PIP)
OFF = "off"
CROSS = (OFF, AUTO)
"""Whether a cross compiler compiles what is built under emulation."""
POLICIES = ("report", "new", "all")
LONGEST_TIMEOUT = 30 * 86400
"""Seconds."""
SHM_SIZE = 64 * 2**20
"""Bytes of ``/dev/shm`` in a container for which nothing else is said: Docker's default."""
_SIZE = re.compile(r"([1-9]\d{0,6}) ?([MG])i?B", re.ASCII)


class Who(Enum):
    """Who obeys an option."""

    INSIDE = "inside"
    """Only the session inside, which gets it as it was typed."""
    BOTH = "both"
    """Both sides: what is shown is shown on the host."""
    HOST = "host"
    """Only the host's process."""
    REFUSED = "refused"


class Kind(Enum):
    """What follows an option; never an optional value, which would swallow a path."""

    FLAG = "flag"
    VALUE = "value"
    LIST = "list"
    """A value, each time that it is given."""
    CHOICE = "choice"


class OwnOption(NamedTuple):
    """One option of ours."""

    name: str
    kind: Kind
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    needs: tuple[str, ...] = (ARM64, MARKED)
    """Without one of these it has no effect: typed, it is refused; in ``addopts`` it waits."""
    refused_anywhere: bool = False
    """Whether it is refused in ``addopts`` too where what it needs is not given."""
    excludes: str = ""
    """The option that cannot be typed beside it."""
    who: Who = Who.HOST
    check: Callable[[str], object] | None = None
    """Raises ValueError, with what is wrong, for a value that cannot be used."""

    @property
    def dest(self) -> str:
        """Where pytest keeps its value."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def usage(self) -> str:
        """The option as the documentation shows it: ``--arm64-target NAME``."""
        value = self.metavar or "|".join(self.choices)
        return f"{self.name} {value}" if value else self.name


def cores(text: str) -> tuple[str, ...]:
    """Names of cores, separated by commas, each once; empty for ``auto``, which stands alone.

    Instance types of EC2 (``c7g.large``) stand for the oldest core among them: what runs there
    runs on the others.

    Raises:
        ValueError: one is no core that can be emulated, and no instance type with a Graviton.
    """
    names = [name.strip() for name in text.split(",")]
    if names == [AUTO]:
        return ()
    if AUTO in names:
        raise ValueError(f"{text!r}: auto chooses the cores, and stands alone")
    by_name = {name: _FAMILY[f] for name in names if (f := _family(name)) in _FAMILY}
    for name in names:
        if name not in CORES and name not in by_name:
            raise ValueError(
                f"unknown core {name!r}: choose among {', '.join(CORES)}, "
                "or name an instance type with a Graviton, such as c7g.large"
            )
    oldest = min(by_name.values(), key=CORES.index, default="")
    return tuple(dict.fromkeys(oldest if name in by_name else name for name in names))


def _family(name: str) -> str:
    """The family of an instance type, ``c7g`` of ``c7g.large``; empty of anything else."""
    family, dot, size = name.partition(".")
    return family if dot and size.replace("-", "").isalnum() else ""


def seconds(text: str) -> float:
    """A time limit.

    Raises:
        ValueError: it is no number of seconds, or no limit.
    """
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= LONGEST_TIMEOUT:
        raise ValueError(f"{text} is not a number of seconds above 0, such as 60")
    return number


def byte_size(text: str) -> int:
    """Bytes of ``512MB``, as Lambda counts them, by powers of two.

    Raises:
        ValueError: it is not an amount of memory.
    """
    amount = _SIZE.fullmatch(text)
    if amount is None:
        raise ValueError(f"{text!r} is not an amount of memory, such as 512MB or 2GB")
    return int(amount[1]) * (2**20 if amount[2] == "M" else 2**30)


MODES = (
    OwnOption(
        ARM64,
        Kind.FLAG,
        "run the tests in an ARM64 container, natively on ARM and emulated elsewhere",
        needs=(),
    ),
    OwnOption(
        MARKED,
        Kind.FLAG,
        "run the tests that are marked arm64 in the container, and all others on the host",
        needs=(),
        excludes=ARM64,
    ),
)
OPTIONS = (
    *MODES,
    OwnOption(
        "--arm64-target",
        Kind.VALUE,
        "choose the target to deploy on, e.g. al2023-python3.12 or lambda-python3.13 "
        "(variable PYTEST_ARM64_TARGET; default: from .python-version and requires-python)",
        metavar="NAME",
    ),
    OwnOption(
        "--arm64-image",
        Kind.VALUE,
        "use this image instead of the target's own; {arch} becomes arm64 or amd64 "
        "(variable PYTEST_ARM64_IMAGE)",
        metavar="IMAGE",
    ),
    OwnOption(
        "--arm64-requirements",
        Kind.LIST,
        "read what is deployed from this requirement file; may be given more than once "
        "(default: requirements.txt, and the project itself)",
        metavar="FILE",
    ),
    OwnOption(
        "--arm64-service",
        Kind.LIST,
        "run the tests of this service only; may be given more than once "
        "(default: of all services that [tool.pytest-arm64] configures, one after another)",
        metavar="NAME",
        needs=(ARM64,),
    ),
    OwnOption(
        "--arm64-cpu",
        Kind.VALUE,
        "emulate this core: graviton2, graviton3, graviton4, graviton5 or that of an instance type "
        "such as c7g.large; of several, show the first and report each other one as a single "
        "result; auto: graviton2, and tests that can reach code which graviton2 never runs also on "
        "graviton3; no effect on native ARM (default: auto, on Lambda graviton2)",
        metavar="CORE[,CORE]|auto",
        check=cores,
    ),
    OwnOption(
        "--arm64-gate",
        Kind.CHOICE,
        "choose which findings fail the run (wheels, compiled files, verdicts, boundaries): "
        "report: none; new: those that are worse than arm64-baseline.json; all: all of them "
        "(default: new where that file exists, all where services or allowances are configured, "
        "else report)",
        choices=POLICIES,
        needs=(ARM64,),
    ),
    OwnOption(
        "--arm64-profile",
        Kind.FLAG,
        "show the hot spots of the tests, cells side by side; calls are counted where the "
        "processor is emulated",
        needs=(ARM64,),
        who=Who.BOTH,
    ),
    OwnOption(
        "--arm64-report",
        Kind.VALUE,
        "write report.json (evidence and verdict for each service, which pytest-arm64 report "
        "DIR shows), measurements.json and profile.json into this folder",
        metavar="DIR",
        needs=(ARM64,),
    ),
    OwnOption("--arm64-refresh", Kind.FLAG, "build the environment again, from the index"),
    OwnOption(
        "--arm64-offline",
        Kind.FLAG,
        "pull and install nothing: use what is cached (variable PYTEST_ARM64_OFFLINE)",
        excludes="--arm64-refresh",
    ),
    OwnOption(
        "--arm64-copy",
        Kind.FLAG,
        "run the tests on a copy of the project, so that they cannot change it (default: where the "
        "pipeline's variables say that the change comes from a fork; variable PYTEST_ARM64_COPY)",
    ),
    OwnOption(
        "--arm64-installer",
        Kind.CHOICE,
        "choose how packages are installed: plan: unpack exactly what the audit resolves; pip: "
        "run pip in the container (default: plan)",
        choices=INSTALLERS,
    ),
    OwnOption(
        "--arm64-build-network",
        Kind.FLAG,
        "give builds of source distributions and projects the network and pip's settings, "
        "credentials included (default: a build has no network)",
    ),
    OwnOption(
        "--arm64-build-timeout",
        Kind.VALUE,
        "end a build of a source distribution or project that takes longer (default: no limit)",
        metavar="SECONDS",
        check=seconds,
    ),
    OwnOption(
        "--arm64-cross",
        Kind.CHOICE,
        "choose what compiles source distributions under emulation on x86-64: off: the builder's "
        "own compiler; auto: the same version of it as a cross compiler, at the speed of the host "
        "(default: off)",
        choices=CROSS,
    ),
    OwnOption(
        "--arm64-timeout",
        Kind.VALUE,
        "kill a test that takes longer, show where it was, and go on (default: no limit)",
        metavar="SECONDS",
        check=seconds,
    ),
    OwnOption(
        "--arm64-memory",
        Kind.VALUE,
        "kill what needs more memory than this in all, as 512MB or 2GB; under emulation, than "
        "twice as much (default: no limit)",
        metavar="SIZE",
        check=byte_size,
    ),
    OwnOption(
        "--arm64-shm-size",
        Kind.VALUE,
        "make /dev/shm this large, for multiprocessing and data loaders (default: 64MB)",
        metavar="SIZE",
        check=byte_size,
    ),
    OwnOption(
        "--arm64-compare",
        Kind.FLAG,
        "run the tests on linux/amd64 first: what differs on ARM64 is a failure of its test",
        needs=(ARM64,),
        excludes=TRY,
    ),
    OwnOption(
        "--arm64-record",
        Kind.FLAG,
        "run the tests on linux/amd64 first and save the values of arm64_golden",
        needs=(ARM64,),
        excludes=TRY,
    ),
    OwnOption(
        TRY,
        Kind.LIST,
        "try a change to what is deployed without changing a file: NAME==VERSION, OLD=NEW, or "
        "fixes for all that the audit proposes; may be given more than once. The tests run on "
        "linux/amd64 without and with it, then on ARM64 with it",
        metavar="CHANGE",
        needs=(ARM64,),
    ),
    OwnOption(
        "--arm64-keep",
        Kind.FLAG,
        "keep a container for a day after the run, and print how to open each failing test in "
        "it (--pdb does so where a test fails)",
    ),
    OwnOption(
        "--arm64-require-native",
        Kind.FLAG,
        "fail unless the tests run natively on ARM",
        refused_anywhere=True,
    ),
)
