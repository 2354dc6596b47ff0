"""Static thread-local storage: when late libraries may not find room, and no word otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.elf import Elf, read_elf
from pytest_arm64.binary.filetree import folder_tree
from pytest_arm64.binary.judge import judge
from pytest_arm64.binary.static_tls import RESERVE, Shortage, shortage
from pytest_arm64.binary.system import declared_system
from pytest_arm64.config.targets import find_target
from unit.binary.elves import X86_64, elf, write

OLD, NEW = "2.26", "2.34"


def library(size: int, *, static: bool = False, machine: str = "aarch64") -> Elf:
    return Elf(machine, 64, "library", tls=size, static_tls=static)


def short(
    *libraries: Elf, glibc: str = NEW, machine: str = "aarch64", kind: str = "lib"
) -> Shortage | None:
    files = {f"/a/{kind}{number}.so": elf for number, elf in enumerate(libraries)}
    return shortage(files, machine, glibc)


def test_the_storage_is_read_from_the_program_headers() -> None:
    assert (read_elf(elf()).tls, read_elf(elf()).static_tls) == (0, False)
    found = read_elf(elf(tls=129, static_tls=True))
    assert (found.tls, found.static_tls) == (144, True)


def test_on_arm_a_relocation_says_that_it_is_static() -> None:
    """As in the libgomp of scikit-learn 1.9.1: no flag, R_AARCH64_TLS_TPREL."""
    assert read_elf(elf(tls=120, relocations=[1027, 1025, 1030])).static_tls
    assert not read_elf(elf(tls=120, relocations=[1027, 1031, 6, 262])).static_tls  # TLSDESC, none
    assert not read_elf(elf(relocations=[1030])).static_tls  # of another library's
    assert not read_elf(elf(tls=120, relocations=[1030], machine=X86_64)).static_tls


def test_what_fits_has_no_word() -> None:
    assert short(library(RESERVE, static=True)) is None
    assert short(library(100_000)) is None  # it is dynamic
    assert short() is None


def test_libraries_that_need_more_together_are_named_with_the_order() -> None:
    found = short(library(200, static=True), library(1600, static=True))
    assert found is not None
    assert found.largest == "/a/lib1.so"
    assert "lib1.so, lib0.so need 1,800 bytes of static TLS; glibc 2.34 has 1,664" in found.text
    assert "cannot allocate memory in static TLS block" in found.text
    assert found.remedy == (
        "import what brings lib1.so before anything else, or set "
        "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1024"
    )


def test_old_glibc_gives_the_reserve_to_every_library_on_arm_alone() -> None:
    libraries = (library(144, static=True), library(1600))
    found = short(*libraries, glibc=OLD)
    assert found is not None
    assert (
        "lib0.so need 144 bytes of static TLS, and other libraries take up to 1,600" in found.text
    )
    assert "GLIBC_TUNABLES" not in found.remedy  # it has no such tunable
    assert short(*libraries, glibc=NEW) is None  # it gives 512 bytes at most
    x86 = [Elf("x86_64", 64, "library", tls=e.tls, static_tls=e.static_tls) for e in libraries]
    assert short(*x86, glibc=OLD, machine="x86_64") is None


def test_storage_that_never_fits_takes_nothing() -> None:
    """As the 61,440 bytes of OpenBLAS."""
    assert short(library(144, static=True), library(61_440), glibc=OLD) is None


@pytest.mark.parametrize("glibc", ["", "musl", "unknown"])
def test_of_another_c_library_nothing_is_said(glibc: str) -> None:
    assert short(library(10_000, static=True), glibc=glibc) is None


def test_programs_and_files_for_other_machines_do_not_count() -> None:
    assert short(Elf("aarch64", 64, "executable", tls=9000, static_tls=True)) is None
    assert short(library(9000, static=True, machine="x86_64")) is None


@given(st.lists(st.tuples(st.integers(0, 2**64), st.booleans()), max_size=8))
def test_more_libraries_never_make_room(sizes: list[tuple[int, bool]]) -> None:
    libraries = [library(size, static=static) for size, static in sizes]
    fewer = short(*libraries[:-1])
    assert fewer is None or short(*libraries) is not None


def test_the_record_has_it_as_a_note(tmp_path: Path) -> None:
    folder = write(tmp_path, {"a/libjemalloc.so.2": elf(tls=2600, static_tls=True)})
    system = declared_system(find_target("al2023-python3.12", {}))
    (found,) = judge("a", folder_tree(folder, "/s"), "/s", system, "dnf").findings
    assert (found.kind, found.grave, found.path) == ("static-tls", False, "a/libjemalloc.so.2")
