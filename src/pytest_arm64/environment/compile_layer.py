"""Compile the modules of a tar without executing them: a program, for any host interpreter.

Reads a tar from standard input, as many bytes as its argument says, and writes to standard output
the members with byte-code that belong behind it. A package's own tests are left out: few import
them, and they are half of the work.
"""

from __future__ import annotations

import importlib.util
import marshal
import resource
import struct
import sys
import tarfile
from typing import BinaryIO, cast

BLOCK = 512
MEMORY = 2**30
"""Bytes that the compiler may take: a list of a few megabytes in a source takes gigabytes."""


class First:
    """The first *size* bytes of *stream*."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


def main(size: int) -> None:
    """Do it for a tar of *size* bytes."""
    limit = resource.getrlimit(resource.RLIMIT_AS)[1]
    memory = MEMORY if limit == resource.RLIM_INFINITY else min(limit, MEMORY)
    resource.setrlimit(resource.RLIMIT_AS, (memory, limit))
    ending = importlib.util.cache_from_source("x.py").rpartition("/x")[2]
    folders = set()
    source = cast("BinaryIO", First(sys.stdin.buffer, size))
    with tarfile.open(fileobj=source, mode="r|") as layer:
        for member in layer:
            folder, _, name = member.name.rpartition("/")
            if not (member.isreg() and name.endswith(".py") and "/site-packages/" in member.name):
                continue
            stream = layer.extractfile(member)
            if stream is None or "tests" in folder.partition("/site-packages/")[2].split("/"):
                continue
            text = stream.read()
            try:
                code = compile(text, "/" + member.name, "exec", dont_inherit=True, optimize=0)
            except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
                continue
            cached = tarfile.TarInfo(folder + "/__pycache__")
            if cached.name not in folders:
                folders.add(cached.name)
                cached.type, cached.mode, cached.mtime = tarfile.DIRTYPE, 0o755, member.mtime
                write(cached, b"")
            info = tarfile.TarInfo(f"{cached.name}/{name[:-3]}{ending}")
            info.mode, info.mtime = 0o644, member.mtime
            # As PEP 552 has it: no flags, then time and size of the source.
            head = struct.pack("<III", 0, int(member.mtime), len(text))
            write(info, importlib.util.MAGIC_NUMBER + head + marshal.dumps(code))


def write(info: tarfile.TarInfo, content: bytes) -> None:
    """One member, with *content*."""
    info.size = len(content)
    out = sys.stdout.buffer
    out.write(info.tobuf(tarfile.PAX_FORMAT))
    out.write(content + bytes(-len(content) % BLOCK))


if __name__ == "__main__":
    main(int(sys.argv[1]))
