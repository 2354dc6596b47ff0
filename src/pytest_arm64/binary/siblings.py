"""Builds of one thing for several processors in one artifact, by the names of files and folders.

``linux-x86_64/tool`` does no harm beside ``linux-aarch64/tool``: whoever ships both chooses at run
time. Alone, it is a tool that is missing on ARM64, whatever its name says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .elf import Elf
from .filetree import FileTree

_ARCHITECTURE = re.compile(
    r"""(?ix) (?<![a-z0-9]) (?: (?:many|musl)?linux (?:\d+ (?:_\d+)?)? [-_.]? )?
    (?: x86[-_]?64 | x64 | x86 | amd64 | i[3-6]86 | i?64(?:bit)? | i?32(?:bit)?
      | aarch64 | arm64 | armv?\d\w* | armhf | armel | arm | ppc64(?:le)? | s390x? | riscv64
      | loongarch64 | mips\w* ) (?![a-z0-9])"""
)
# A build for x86 often has no processor in its name: linux/tool beside linux-arm64/tool.
_OWN_SUFFIX = re.compile(r"(?i)[-_.](?:aarch64|arm64)(?![a-z0-9])")
# Helpers by which debuggers enter other processes: their packages work without them.
_OPTIONAL = re.compile(r"/(?:pydevd_)?attach(?:_to)?_process/[^/]+\Z")


class Siblings:
    """Which files of an artifact have a twin for its machine."""

    def __init__(self, tree: FileTree, root: str, machine: str) -> None:
        self._root = root
        files = tree.files.items()
        own = [p.removeprefix(root) for p, c in files if c.elf and c.elf.machine == machine]
        self._own = frozenset(twin for path in own for twin in _twins(path))
        self._plain = frozenset(_OWN_SUFFIX.sub("", path) for path in own) - {*own}

    def excuse(self, path: str, elf: Elf) -> str:
        """Why it is no harm that the file at *path* is for another machine; empty if it is."""
        name = path.removeprefix(self._root)
        if name in self._plain or any(twin in self._own for twin in _twins(name)):
            return "a build for this machine is beside it"
        if elf.kind == "library" and _OPTIONAL.search(path):
            return "a debugger's helper, without which its package works"
        return ""


def _twins(path: str) -> Iterator[str]:
    """*path*, and each folder above it that names a processor, with that name left open."""
    parts = path.split("/")
    neutral = [_ARCHITECTURE.sub("*", part) for part in parts]
    for number, (part, other) in enumerate(zip(parts, neutral, strict=True), 1):
        if part != other:
            yield "/".join((*neutral[:number], "" if number < len(parts) else "."))
