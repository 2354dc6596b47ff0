"""Segments and pages: three loaders, three rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.elf import read_elf
from pytest_arm64.binary.filetree import folder_tree
from pytest_arm64.binary.pages import MUSL, Pages, congruence
from pytest_arm64.binary.system import looked_up_system
from unit.binary.elves import elf, write

SMALL, LARGE = 4096, 65536


@pytest.mark.parametrize(
    ("alignment", "within", "page", "loader", "maps"),
    [
        (SMALL, 0, SMALL, "2.34", True),
        (SMALL, 0, LARGE, "2.34", False),  # the alignment alone counts
        (SMALL, 0, LARGE, "2.35", True),  # address and offset agree
        (SMALL, SMALL, LARGE, "2.35", False),
        (SMALL, SMALL, SMALL, "2.35", True),
        (LARGE, LARGE, LARGE, "2.34", True),
        (LARGE, LARGE, LARGE, "2.41", True),
        (SMALL, SMALL, LARGE, "2.28", False),
        (SMALL, SMALL, LARGE, MUSL, True),
        (3 * SMALL, 0, SMALL, "2.34", False),
        (0, 0, LARGE, "2.34", True),
        (SMALL, 0, LARGE, "", False),  # an unknown loader is the strictest
    ],
)
def test_the_rule_of_each_loader(
    alignment: int, within: int, page: int, loader: str, maps: bool
) -> None:
    assert (Pages(page, loader).problem(alignment, within) == "") is maps


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_congruence_is_the_largest_page_in_which_both_agree(address: int, offset: int) -> None:
    within = congruence(address, offset)
    if address == offset:
        assert within == 0
    else:
        assert address % within == offset % within
        assert address % (2 * within) != offset % (2 * within)


@pytest.mark.parametrize("shift", [0, SMALL, LARGE])
def test_a_file_says_how_its_segments_lie(shift: int) -> None:
    assert read_elf(elf(align=SMALL, shift=shift)).congruence == shift


@pytest.mark.parametrize(
    ("files", "loader"),
    [
        ({"lib64/libc.so.6": elf(defines=["GLIBC_2.17", "GLIBC_2.4", "GLIBC_2.36"])}, "2.36"),
        ({"lib64/libc.so.6": elf(defines=["GLIBC_2.17", "GLIBC_PRIVATE"])}, "2.17"),
        ({"lib/ld-musl-aarch64.so.1": elf()}, MUSL),
        ({"lib64/libz.so.1": elf()}, ""),
    ],
)
def test_the_loader_of_an_image(tmp_path: Path, files: dict[str, bytes], loader: str) -> None:
    tree = folder_tree(write(tmp_path, files), "/")
    system = looked_up_system(tree, name="x", machine="aarch64", page_size=LARGE, library_path="")
    assert system.pages == Pages(LARGE, loader)
