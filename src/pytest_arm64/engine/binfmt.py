"""The kernel's table of foreign programs: who emulates aarch64 here, and whether in containers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

TABLE = Path("/proc/sys/fs/binfmt_misc")
# An ELF file's header, as far as it tells a 64-bit little-endian program for aarch64.
_AARCH64 = "7f454c460201010000000000000000000200b7"


@dataclass(frozen=True)
class Handler:
    """An entry for aarch64."""

    name: str
    enabled: bool
    interpreter: str
    flags: str

    @property
    def in_containers(self) -> bool:
        """Whether it works where the interpreter's own file is not: flag F."""
        return self.enabled and "F" in self.flags


def aarch64_handlers(table: Path = TABLE) -> list[Handler]:
    """The entries for aarch64; none where the table cannot be read."""
    try:
        entries = sorted(table.iterdir())
    except OSError:
        return []
    return [handler for entry in entries if (handler := _read(entry)) is not None]


def _read(entry: Path) -> Handler | None:
    if entry.name in ("register", "status"):
        return None
    try:
        lines = entry.read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    words = dict(line.partition(" ")[::2] for line in lines)
    if not words.get("magic", "").startswith(_AARCH64):
        return None
    return Handler(
        name=entry.name,
        enabled="enabled" in words,
        interpreter=words.get("interpreter", ""),
        flags=words.get("flags:", ""),
    )


def explanation(handlers: list[Handler]) -> tuple[str, str]:
    """Why containers of this machine cannot run aarch64 programs, and what to do.

    For an engine on this machine; another one has a table of its own.
    """
    if not handlers:
        return (
            "no emulation of aarch64 is registered",
            "as root: scripts/engine up; or with any engine: "
            "docker run --privileged --rm tonistiigi/binfmt --install arm64",
        )
    handler = handlers[0]
    if not handler.enabled:
        return (
            f"the handler {handler.name} is switched off",
            f"as root: echo 1 > {TABLE / handler.name}",
        )
    if not handler.in_containers:
        return (
            f"the handler {handler.name} lacks the flag F: the kernel looks for "
            f"{handler.interpreter} in each container, where it is not",
            "as root: pytest-arm64 setup, which registers it again with that flag",
        )
    return (
        f"the handler {handler.name} with the flag F is registered, and fails",
        f"look whether {handler.interpreter} runs, and reinstall its package",
    )
