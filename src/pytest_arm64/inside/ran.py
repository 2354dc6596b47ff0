"""What something ran on: the one type of this fact, on the host and in the container.

It is defined here because nothing in the container can import the host's rooms, while the host
imports this one. It becomes JSON where it enters a container (the variable ``VARIABLE``) and in
records and reports, nowhere else.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from .records import encode

PREDICTED, EMULATED, NATIVE = "predicted", "emulated", "native"
GRADES = (PREDICTED, EMULATED, NATIVE)
"""The weakest first."""
FRESH_DAYS = 90
"""Evidence that is older decides nothing: images, indexes and code have moved on."""
MACHINE = "aarch64"
VARIABLE = "PYTEST_ARM64_FACTS"
FACTS = (
    *("target", "image", "image_id", "digest", "machine", "os", "stand_in", "differences"),
    *("python", "glibc", "libstdcxx", "page_size", "core", "emulated"),
    *("emulator", "limits"),
)
"""What the fixture ``arm64_target`` has; outside a cell most of it is None."""
PLACE = ("machine", "core", "emulated", "stand_in", "target")
"""What records of measurements have: times of one processor belong together."""


@dataclass(frozen=True)
class Ran:
    """What something ran on, as it was looked up there, for the target that was asked."""

    machine: str = ""
    """As ``uname -m`` says."""
    core: str = ""
    """Name of the core: what is emulated, or what the native machine says it is."""
    emulated: bool | None = None
    """None outside a cell, where nobody can say."""
    stand_in: bool = True
    """Whether it is another operating system than the target's; what nobody says counts so."""
    target: str = ""
    image: str = ""
    image_id: str = ""
    digest: str = ""
    os: str = ""
    """``ID VERSION_ID`` of os-release, for example ``amzn 2023``."""
    python: str = ""
    glibc: str = ""
    libstdcxx: str = ""
    page_size: int = 0
    """Bytes; 0 where it is not known."""
    emulator: str = ""
    """Version of qemu; empty where it is native, or not known."""
    differences: tuple[str, ...] = ()
    """What ran otherwise than asked, in words for people."""
    limits: tuple[str, ...] = ()
    """What the container was limited to, as a Lambda function is, in words for people."""
    asked_image: bool = False
    """Whether it was the target's own image, not one given in its place."""
    when: str = ""
    """ISO 8601, UTC."""

    @property
    def on_arm(self) -> bool:
        return self.machine == MACHINE

    @property
    def native(self) -> bool:
        """Whether it is known not to be emulated."""
        return self.emulated is False

    @property
    def native_arm(self) -> bool:
        """Whether it is known to be a real ARM processor."""
        return self.on_arm and self.native

    @property
    def grade(self) -> str:
        """``emulated`` or ``native``; of another machine, nothing but ``predicted``."""
        if not self.on_arm:
            return PREDICTED
        return NATIVE if self.native else EMULATED

    @property
    def as_asked(self) -> bool:
        """Whether what ran is what was asked for: the image, its system and its Python."""
        return self.asked_image and not self.stand_in and not self.differences

    @property
    def place(self) -> Ran:
        """The processor alone: what measurements are compared by."""
        on = self.stand_in and self.emulated is not None
        return Ran(self.machine, self.core, self.emulated, on, self.target)

    def fresh(self, today: date) -> bool:
        """Whether it is recent enough to decide by; a time that cannot be read is not.

        A day of the future is what another time zone calls today.
        """
        try:
            day = datetime.fromisoformat(self.when).date()
        except ValueError:
            return False
        return -1 <= (today - day).days <= FRESH_DAYS

    def as_evidence(self, when: str, *, asked_image: bool) -> Ran:
        """The same for evidence: what is not known counts against it.

        Args:
            when: the time, ISO 8601.
            asked_image: whether the target's own image was used.
        """
        return replace(
            self,
            emulated=not self.native,
            asked_image=asked_image,
            when=when,
        )

    def facts(self) -> dict[str, object]:
        """As the fixture ``arm64_target`` has it, for JSON."""
        data = encode(self)
        return {key: data[key] for key in FACTS}

    @classmethod
    def of_facts(cls, facts: Mapping[str, object]) -> Ran:
        """What ``facts`` gave; anything of another type is as if it were not there."""
        emulated, size = facts.get("emulated"), facts.get("page_size")

        def words(key: str) -> tuple[str, ...]:
            value = facts.get(key)
            return tuple(map(str, value)) if isinstance(value, list) else ()

        def word(key: str) -> str:
            return str(facts.get(key) or "")

        return cls(
            machine=word("machine"),
            core=word("core"),
            emulated=emulated if isinstance(emulated, bool) else None,
            stand_in=facts.get("stand_in") is not False,
            target=word("target"),
            image=word("image"),
            image_id=word("image_id"),
            digest=word("digest"),
            os=word("os"),
            python=word("python"),
            glibc=word("glibc"),
            libstdcxx=word("libstdcxx"),
            page_size=size if type(size) is int else 0,
            emulator=word("emulator"),
            differences=words("differences"),
            limits=words("limits"),
        )

    def __str__(self) -> str:
        if self.emulated is None:
            return f"{self.machine or 'unknown machine'}, in no target"
        how = "EMULATED" if self.emulated else "native"
        core = f", core {self.core}" if self.core else ""
        on = ", on a STAND-IN" if self.stand_in else ""
        return f"{self.machine} {how}{core}{on}"


def facts_here() -> dict[str, object]:
    """What ``arm64_target`` has in this process: facts of its cell, else of this machine."""
    if VARIABLE in os.environ:
        facts = json.loads(os.environ[VARIABLE])
        return facts if isinstance(facts, dict) else {}
    return {
        **dict.fromkeys(FACTS),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "page_size": os.sysconf("SC_PAGE_SIZE"),
    }


def ran_here() -> Ran:
    """What this process runs on."""
    return Ran.of_facts(facts_here())
