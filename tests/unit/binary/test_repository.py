"""Programs for another machine among a repository's own files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_arm64.binary.pages import Pages
from pytest_arm64.binary.record import AbiRecord
from pytest_arm64.binary.repository import with_repository
from unit.binary.elves import I386, X86_64, elf, write

RECORD = AbiRecord("environment", "image", "aarch64", True, (), ())
PROGRAM = elf(machine=X86_64, kind=2)


def scanned(folder: Path, files: dict[str, bytes], *, runs: bool = True) -> AbiRecord:
    write(folder, files)
    return with_repository(RECORD, folder, [(name, runs) for name in files], Pages(4096))


def test_a_program_for_x86_fails_the_record_and_says_what_emulation_does(tmp_path: Path) -> None:
    record = scanned(tmp_path, {"bin/tool": PROGRAM, "a.py": b"pass", "empty": b""})
    (finding,) = record.findings
    assert (finding.path, finding.kind, finding.grave) == ("bin/tool", "wrong-architecture", True)
    assert "host's own processor" in finding.text
    assert finding.evidence == ("ELF header: e_machine is EM_X86_64",)
    assert [(file.path, file.machine) for file in record.files] == [("bin/tool", "x86_64")]
    assert record.loadable is False


@pytest.mark.parametrize(
    ("files", "runs"),
    [
        ({"tests/data/program": PROGRAM}, False),
        ({"lib/libx.so": elf(machine=X86_64)}, True),
        ({"lib/libx.so": elf(machine=I386)}, False),
        ({"bin/tool-x86_64": PROGRAM, "bin/tool-aarch64": elf(kind=2)}, True),
        ({"bin/linux64/tool": PROGRAM, "bin/linux-arm64/tool": elf(kind=2)}, True),
    ],
)
def test_what_is_not_started_or_is_there_for_both_is_a_note(
    tmp_path: Path, files: dict[str, bytes], runs: bool
) -> None:
    record = scanned(tmp_path, files, runs=runs)
    assert [finding.grave for finding in record.findings] == [False]
    assert record.loadable is True


def test_programs_for_the_target_and_damaged_files_are_nothing(tmp_path: Path) -> None:
    files = {"bin/tool": elf(kind=2), "bin/broken": b"\x7fELF", "bin/script": b"#!/bin/sh\n"}
    assert scanned(tmp_path, files) == RECORD


def test_links_pipes_and_missing_files_are_left_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(PROGRAM)
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    os.mkfifo(folder / "pipe")
    listed = [("link", True), ("pipe", True), ("missing", True)]
    assert with_repository(RECORD, folder, listed, Pages(4096)) == RECORD
