"""The second reader: it confirms what is so, with its place, and disputes what is not."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_arm64.binary.confirm import confirmed
from pytest_arm64.binary.elf import ElfError, read_elf
from pytest_arm64.binary.filetree import Use
from pytest_arm64.binary.pages import Pages
from pytest_arm64.binary.record import AbiFinding, AbiRecord, CompiledFile
from pytest_arm64.binary.second_reader import read_again
from unit.binary.elves import I386, X86_64, elf

PATH = "a/ext.so"
TOO_NEW = elf(
    needed=["libc.so.6", "libGL.so.1"],
    needs={"libc.so.6": ["GLIBC_2.17", "GLIBC_2.38"]},
    symbols={"puts": "GLIBC_2.17", "strlcpy": "GLIBC_2.38", "strlcat": "GLIBC_2.38"},
)


def judged(data: bytes, kind: str, library: str = "", version: str = "") -> AbiRecord:
    finding = AbiFinding(PATH, kind, "text", grave=True, library=library, version=version)
    record = AbiRecord(
        artifact="a",
        against="b",
        machine="aarch64",
        looked_up=True,
        files=(CompiledFile(PATH, "aarch64", "library"),),
        findings=(finding,),
    )

    def reread(use: Use, only: Collection[str]) -> None:
        assert f"/site/{PATH}" in only
        use(f"/site/{PATH}", data)

    return confirmed(record, "/site", Pages(4096), reread)


@pytest.mark.parametrize(
    ("data", "kind", "library", "version", "evidence"),
    [
        (TOO_NEW, "abi-mismatch", "libc.so.6", "GLIBC_2.38",
         (".gnu.version_r: libc.so.6 GLIBC_2.38",)),
        (TOO_NEW, "missing-system-library", "libGL.so.1", "", (".dynamic: DT_NEEDED libGL.so.1",)),
        (elf(machine=X86_64), "wrong-architecture", "", "",
         ("ELF header: e_machine is EM_X86_64",)),
        (elf(machine=I386), "wrong-architecture", "", "", ("ELF header: e_machine is EM_386",)),
        (elf(big=True), "wrong-architecture", "", "", ("ELF header: e_machine is EM_AARCH64",)),
        (elf(align=1024), "page-size", "", "",
         ("loaded segment 0: p_align is 1024, p_vaddr 0x0, p_offset 0x0",)),
    ],
)  # fmt: skip
def test_what_is_so_is_confirmed_with_its_place(
    data: bytes, kind: str, library: str, version: str, evidence: tuple[str, ...]
) -> None:
    (finding,) = judged(data, kind, library, version).findings
    assert finding.grave
    assert finding.evidence == evidence
    assert not finding.disputed


def test_a_version_has_its_symbols() -> None:
    (finding,) = judged(TOO_NEW, "abi-mismatch", "libc.so.6", "GLIBC_2.38").findings
    assert finding.symbols == ("strlcpy", "strlcat")


def test_a_damaged_file_is_damaged_for_both() -> None:
    (finding,) = judged(b"\x7fELF and then nothing", "unreadable").findings
    assert finding.grave
    assert finding.evidence[0].startswith("pyelftools: ")


@pytest.mark.parametrize(
    ("data", "kind", "library", "version"),
    [
        (elf(), "abi-mismatch", "libc.so.6", "GLIBC_2.38"),
        (TOO_NEW, "abi-mismatch", "libm.so.6", "GLIBC_2.38"),
        (elf(), "missing-system-library", "libGL.so.1", ""),
        (elf(), "wrong-architecture", "", ""),
        (elf(), "page-size", "", ""),
        (elf(), "unreadable", "", ""),
        (b"\x7fELF and then nothing", "abi-mismatch", "libc.so.6", "GLIBC_2.38"),
        (b"\x7fELF and then nothing", "wrong-architecture", "", ""),
    ],
)
def test_what_is_not_so_is_disputed_and_fails_nothing(
    data: bytes, kind: str, library: str, version: str
) -> None:
    record = judged(data, kind, library, version)
    (finding,) = record.findings
    assert (finding.grave, finding.disputed, finding.kind) == (False, True, kind)
    assert finding.text.startswith("text; pyelftools ")
    assert record.loadable is None, "not certain is not loadable"
    assert AbiRecord.from_json(record.to_json()) == record


def test_symbols_come_with_the_relocation_that_uses_them(tmp_path: Path) -> None:
    """In a library that a real linker has written."""
    source = tmp_path / "a.c"
    source.write_text("#include <string.h>\nsize_t f(const char *s) { return strlen(s); }\n")
    library = tmp_path / "a.so"
    build = ["gcc", "-shared", "-fPIC", "-fno-builtin", "-o", str(library), str(source)]
    subprocess.run(build, check=True)
    data = library.read_bytes()
    (need,) = {(n.library, n.version) for n in read_elf(data).needs if n.library == "libc.so.6"}
    imports = read_again(data, frozenset({need})).imports[need]
    places = {symbol.name: symbol.place for symbol in imports}
    assert places["strlen"].startswith((".rela.plt, R_", ".rela.dyn, R_"))


def test_pyelftools_is_loaded_only_where_there_is_something_to_confirm() -> None:
    script = """
import sys
from pytest_arm64.binary import scan
from pytest_arm64.binary.confirm import confirmed
from pytest_arm64.binary.pages import Pages
from pytest_arm64.binary.record import AbiRecord
record = AbiRecord("a", "b", "aarch64", True, (), ())
assert confirmed(record, "/", 4096, lambda use, only: 1 / 0) == record
assert not [name for name in sys.modules if name.startswith("elftools")]
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@given(st.data())
@settings(max_examples=200)
def test_both_readers_agree_on_what_is_written(data: st.DataObject) -> None:
    names = st.text("abc.", min_size=1, max_size=6)
    needed = data.draw(st.lists(names, max_size=4))
    needs = data.draw(st.dictionaries(names, st.lists(names, min_size=1, max_size=3), max_size=3))
    content = elf(needed=needed, needs=needs, big=data.draw(st.booleans()))
    first, second = read_elf(content), read_again(content)
    assert second.problem == ""
    assert second.needed == first.needed
    assert second.versions == {(n.library, n.version) for n in first.needs}


def long_chain() -> bytes:
    """A file whose table of versions goes back to its own beginning, thousands of times."""
    content = bytearray(elf(needed=["a"], needs={"b": ["c"], "d": ["e"]}))
    place = content.index(struct.pack("<HH", 1, 1), 64 + 56 * 3)
    content[place + 12 : place + 16] = struct.pack("<I", 0)
    tag = content.index(struct.pack("<qQ", 0x6FFFFFFF, 2))
    content[tag + 8 : tag + 16] = struct.pack("<Q", 2**31)
    return bytes(content)


@pytest.mark.parametrize(
    "data",
    [
        long_chain(),
        elf(needed=["a"]) + bytes(64 * 2**20),
        b"\x7fELF\2\1\1" + b"\xff" * 100_000,
        b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 64, 0, 64, 56,
                                                65535, 64, 65535, 1) + bytes(8 * 2**20),
    ],
    ids=["a chain without an end", "a large file", "ones", "headers without number"],
)  # fmt: skip
def test_hostile_files_take_little_time(data: bytes) -> None:
    began = time.process_time()
    read_again(data, frozenset({("b", "c")}))
    with contextlib.suppress(ElfError):
        read_elf(data)
    assert time.process_time() - began < 10
