"""Tags of wheels that their content contradicts, and the tag that is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_arm64.binary.filetree import folder_tree
from pytest_arm64.binary.judge import judge
from pytest_arm64.binary.record import AbiFinding
from pytest_arm64.binary.system import declared_system
from pytest_arm64.binary.wheel_tags import promised_glibc
from pytest_arm64.config.targets import find_target
from unit.binary.elves import X86_64, elf, write


@pytest.mark.parametrize(
    ("tags", "promised"),
    [
        (["cp312-cp312-manylinux_2_28_aarch64"], (2, 28)),
        (["py3-none-manylinux2014_aarch64", "py3-none-manylinux_2_17_aarch64"], (2, 17)),
        (["a-b-manylinux_2_28_aarch64", "a-b-manylinux_2_26_aarch64"], (2, 26)),
        (["a-b-manylinux_2_17_x86_64"], None),
        (["a-b-linux_aarch64"], None),
        (["a-b-musllinux_1_2_aarch64"], None),
        (["py3-none-any"], None),
        (["manylinux_2_99999_aarch64", "", "-", "manylinux2014_"], None),
        ([], None),
    ],
)
def test_the_oldest_glibc_that_a_tag_names_counts(
    tags: list[str], promised: tuple[int, int] | None
) -> None:
    assert promised_glibc(tags, "aarch64") == promised


def findings(folder: Path, tag: str, *versions: str, **more: int) -> list[AbiFinding]:
    files = {
        "a/ext.so": elf(needed=["libc.so.6"], needs={"libc.so.6": versions}, **more),  # type: ignore[arg-type]
        "a/plain.so": elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.17"]}),
        "a-1.dist-info/RECORD": b"a/ext.so,,\na/plain.so,,\n",
        "a-1.dist-info/WHEEL": f"Tag: {tag}\n".encode(),
    }
    system = declared_system(find_target("al2023-python3.12", {}))
    record = judge("a", folder_tree(write(folder, files), "/s"), "/s", system, "dnf")
    return [finding for finding in record.findings if finding.kind == "wheel-tag"]


def test_a_tag_that_promises_too_much_is_named_with_the_true_one(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "py3-none-manylinux2014_aarch64", "GLIBC_2.17", "GLIBC_2.34")
    assert (found.path, found.package, found.grave) == ("a/ext.so", "a-1", False)
    assert found.text == "its wheel's tag promises glibc 2.17, and it needs 2.34"
    assert found.remedy.startswith("the true tag is manylinux_2_34_aarch64")
    assert found.version == "GLIBC_2.34"


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-manylinux_2_28_aarch64",
        "py3-none-manylinux_2_34_aarch64",
        "py3-none-linux_aarch64",
        "py3-none-any",
    ],
)
def test_a_tag_that_is_true_or_promises_nothing_has_no_word(tmp_path: Path, tag: str) -> None:
    assert findings(tmp_path, tag, "GLIBC_2.28") == []


def test_files_for_another_machine_do_not_count(tmp_path: Path) -> None:
    tag = "py3-none-manylinux2014_aarch64"
    assert findings(tmp_path, tag, "GLIBC_2.34", machine=X86_64) == []


def test_versions_are_numbers(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, "py3-none-manylinux_2_5_aarch64", "GLIBC_2.9", "GLIBC_2.10")
    assert found.version == "GLIBC_2.17"  # of the other file: 17 > 10 > 9
