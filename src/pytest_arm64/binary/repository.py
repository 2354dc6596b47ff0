"""Programs and libraries for another machine among a repository's own files.

Under emulation the host's kernel runs a program for the host's own processor as it is, so that
tests that start it pass: on an ARM64 machine they fail.
"""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from .confirm import confirmed
from .elf import MAGIC, Buffer, Elf, ElfError, read_elf
from .filetree import Compiled, FileTree, Use
from .pages import Pages
from .record import WRONG_ARCHITECTURE, AbiFinding, AbiRecord, CompiledFile
from .siblings import Siblings

_MAXIMUM_FILES = 2000
_ROOT = "/"


def with_repository(
    record: AbiRecord, root: Path, files: Iterable[tuple[str, bool]], pages: Pages
) -> AbiRecord:
    """*record* of an environment, with what of a repository's *files* is for another machine.

    Args:
        record: of what is installed.
        root: the folder that the files are relative to.
        files: path and whether it may be executed, of each file that is part of the repository.
        pages: of the target.
    """
    executable = dict(files)
    compiled = {path: elf for path in executable if (elf := _elf_at(root, path)) is not None}
    foreign = [path for path, elf in compiled.items() if elf.machine != record.machine]
    if not foreign:
        return record
    tree = FileTree({f"{_ROOT}{path}": Compiled(elf) for path, elf in compiled.items()})
    siblings = Siblings(tree, _ROOT, record.machine)
    own = replace(
        record,
        files=tuple(CompiledFile(p, compiled[p].machine, compiled[p].kind) for p in foreign),
        findings=tuple(
            _finding(path, compiled[path], record.machine, siblings, runs=executable[path])
            for path in foreign[:_MAXIMUM_FILES]
        ),
    )

    def reread(use: Use, only: Collection[str]) -> None:
        for path in foreign:
            if path in only:
                with _content(root, path) as data:
                    use(path, data)

    own = confirmed(own, _ROOT, pages, reread)
    return replace(
        record,
        files=(*record.files, *own.files),
        findings=(*record.findings, *own.findings),
    )


def _finding(path: str, elf: Elf, machine: str, siblings: Siblings, *, runs: bool) -> AbiFinding:
    excuse = siblings.excuse(f"{_ROOT}{path}", elf)
    program = elf.kind == "executable" and runs
    text = f"the repository has it for {elf.machine}, not {machine}"
    if excuse:
        text += f" ({excuse})"
    elif program:
        text += "; under emulation it may run on the host's own processor, on ARM64 it does not"
    grave = program and not excuse
    fix = "add a build for aarch64, and pick it by architecture (`uname -m`)" if grave else ""
    return AbiFinding(path, WRONG_ARCHITECTURE, text, grave, remedy=fix)


def _elf_at(root: Path, path: str) -> Elf | None:
    with suppress(OSError, ValueError, ElfError), _content(root, path) as data:
        return read_elf(data)
    return None


@contextmanager
def _content(root: Path, path: str) -> Iterator[Buffer]:
    """The content of an ELF file; no link is followed to it.

    Raises:
        OSError: it cannot be read.
        ElfError: it is no ELF file.
    """
    handle = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(handle).st_mode) or stream.read(4) != MAGIC:
            raise ElfError("it is not an ELF file")
        with mmap.mmap(handle, 0, access=mmap.ACCESS_READ) as data:
            yield data
