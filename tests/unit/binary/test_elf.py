"""ELF files: the same answers as readelf and pyelftools, and no harm from damaged ones."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.elf import Elf, ElfError, VersionNeed, read_elf
from unit.binary.elves import I386, X86_64, elf

NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def libraries_here() -> Iterator[Path]:
    """Compiled files of this interpreter and its packages."""
    yield Path(sys.executable).resolve()
    for key in ("platstdlib", "platlib"):
        yield from sorted(Path(sysconfig.get_path(key)).rglob("*.so"))[:60]
    for folder in ("/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu", "/lib64"):
        yield from sorted(p for p in Path(folder).glob("lib*.so.*") if p.is_file())[:60]


def test_a_file_as_it_was_written() -> None:
    found = read_elf(
        elf(
            soname="libx.so.1",
            needed=["libc.so.6", "libm.so.6"],
            runpath="$ORIGIN/../x.libs",
            needs={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.38"], "libm.so.6": ["GLIBC_2.29"]},
            weak=["GLIBC_2.29"],
            defines=["X_1", "X_2"],
        )
    )
    assert found == Elf(
        machine="aarch64",
        bits=64,
        kind="library",
        soname="libx.so.1",
        needed=("libc.so.6", "libm.so.6"),
        runpath="$ORIGIN/../x.libs",
        needs=(
            VersionNeed("libc.so.6", "GLIBC_2.17"),
            VersionNeed("libc.so.6", "GLIBC_2.38"),
            VersionNeed("libm.so.6", "GLIBC_2.29", weak=True),
        ),
        defines=("X_1", "X_2"),
        alignment=65536,
    )


@pytest.mark.parametrize(
    ("machine", "big", "name"),
    [
        (X86_64, False, "x86_64"),
        (183, True, "aarch64_be"),
        (I386, False, "i386"),
        (9999, False, "machine 9999"),
    ],
)
def test_machines(machine: int, big: bool, name: str) -> None:
    assert read_elf(elf(machine=machine, big=big, needed=["liba.so"])).machine == name


def test_programs_stacks_and_alignment() -> None:
    found = read_elf(elf(kind=2, interpreter="/lib/ld-linux.so", stack_flags=7, align=4096))
    assert (found.kind, found.interpreter) == ("executable", "/lib/ld-linux.so")
    assert found.executable_stack
    assert found.alignment == 4096


@given(
    needed=st.lists(NAMES, max_size=5),
    defines=st.lists(NAMES, max_size=5, unique=True),
    needs=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=4, unique=True), max_size=3),
    big=st.booleans(),
)
def test_what_is_written_is_read(
    needed: list[str], defines: list[str], needs: dict[str, list[str]], big: bool
) -> None:
    found = read_elf(elf(needed=needed, defines=defines, needs=needs, big=big))
    assert found.needed == tuple(needed)
    assert found.defines == tuple(defines)
    assert found.needs == tuple(
        VersionNeed(k, v) for k, versions in needs.items() for v in versions
    )


def test_agrees_with_pyelftools_on_every_library_here() -> None:
    count = 0
    for path in libraries_here():
        content = path.read_bytes()
        found, other = read_elf(content), ELFFile(io.BytesIO(content))
        needed, needs, defines = [], [], []
        for segment in other.iter_segments():
            if isinstance(segment, DynamicSegment):
                needed = [
                    str(vars(t)["needed"])
                    for t in segment.iter_tags()
                    if t.entry.d_tag == "DT_NEEDED"
                ]
        for section in other.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for version, entries in section.iter_versions():
                    needs += [(version.name, entry.name) for entry in entries]
            elif isinstance(section, GNUVerDefSection):
                for version, entries in section.iter_versions():
                    if not version["vd_flags"] & 1:
                        defines.append(next(entries).name)
        assert list(found.needed) == needed, path
        assert [(n.library, n.version) for n in found.needs] == needs, path
        assert list(found.defines) == defines, path
        count += 1
    assert count > 20


def test_agrees_with_readelf_on_every_library_here() -> None:
    paths = list(libraries_here())
    out = subprocess.run(
        ["readelf", "-V", "-d", "-W", *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    ).stdout
    told = dict(zip(paths, re.split(r"(?m)^File: .*$", out)[1:], strict=True))
    for path, text in told.items():
        found = read_elf(path.read_bytes())
        assert re.findall(r"\(NEEDED\).*\[(.*)\]", text) == list(found.needed), path
        needs, library = [], ""
        for line in text.splitlines():
            if "Version: 1  File: " in line:
                library = line.split("File: ")[1].split()[0]
            name = re.search(r"^ +(?:0x)?[0-9a-f]+: +Name: (\S+)  Flags: .*Version: \d+", line)
            if name and library:
                needs.append((library, name[1]))
        assert needs == [(n.library, n.version) for n in found.needs], path


class TestDamaged:
    @pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 40, 63, 64, 100, 200])
    def test_cut_off(self, length: int) -> None:
        with pytest.raises(ElfError):
            read_elf(elf(needed=["libc.so.6"])[:length])
