"""Compiled files in the tree that the target cannot load."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_arm64.run.preflight import foreign_libraries, ownership_lines, preflight_lines

ELF = b"\x7fELF\x02\x01\x01" + bytes(9)


def elf(machine: int) -> bytes:
    """The beginning of a little-endian shared library."""
    return ELF + (3).to_bytes(2, "little") + machine.to_bytes(2, "little") + bytes(44)


X86, ARM, RISCV = 0x3E, 0xB7, 0xF3


@pytest.mark.parametrize(
    ("name", "content", "machine"),
    [
        ("pkg/a.cpython-312-x86_64-linux-gnu.so", elf(X86), "x86_64"),
        ("libs/libz.so.1.2", elf(X86), "x86_64"),
        ("b.so", elf(RISCV), "another machine"),
        ("b.so", elf(ARM), None),
        ("b.so", b"", None),
        ("b.so", ELF, "another machine"),
        ("b.so", b"no library at all, but long enough", None),
        ("b.py", elf(X86), None),
        (".venv/lib/b.so", elf(X86), None),
    ],
)
def test_what_is_found(tmp_path: Path, name: str, content: bytes, machine: str | None) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    expected = [] if machine is None else [(path, machine)]
    assert foreign_libraries(tmp_path, "arm64") == expected


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "folder.so").mkdir()
    (tmp_path / "nowhere.so").symlink_to("absent")
    os.mkfifo(tmp_path / "pipe.so")
    assert foreign_libraries(tmp_path, "arm64") == []


def test_lines_name_a_few_and_escape(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}\x1b[31m.so").write_bytes(elf(X86))
    first, second = preflight_lines(tmp_path, "arm64")
    assert "0?[31m.so (x86_64)" in first
    assert "and 2 more" in first
    assert 'install = "wheel"' in second
    assert preflight_lines(tmp_path, "amd64") == []


@pytest.mark.parametrize(
    ("uid", "owner", "group", "mode", "told"),
    [
        (0, 1001, 1001, 0o755, True),
        (0, 1001, 1001, 0o775, True),
        (0, 1001, 0, 0o775, False),
        (0, 1001, 1001, 0o777, False),
        (0, 0, 0, 0o755, False),
        (1000, 1001, 1001, 0o755, False),
    ],
)
def test_what_root_may_write_here_and_not_inside(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    uid: int,
    owner: int,
    group: int,
    mode: int,
    told: bool,
) -> None:
    about = SimpleNamespace(st_uid=owner, st_gid=group, st_mode=mode)
    monkeypatch.setattr(Path, "stat", lambda _: about)
    lines = ownership_lines(tmp_path, uid)
    assert bool(lines) == told
    assert all("user 1001" in line for line in lines[:1])
