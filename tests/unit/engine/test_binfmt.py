"""The kernel's table of foreign programs, in a folder of our own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_arm64.engine.binfmt import Handler, aarch64_handlers, explanation
from unit.support import write

MAGIC = "7f454c460201010000000000000000000200b700"
ENTRY = "{}\ninterpreter /usr/bin/qemu-aarch64\nflags: {}\noffset 0\nmagic {}\nmask ff\n"


def table(folder: Path, state: str = "enabled", flags: str = "POCF", magic: str = MAGIC) -> Path:
    return write(
        folder,
        {
            "register": "",
            "status": "enabled\n",
            "python3": ENTRY.format("enabled", "", "ff"),
            "qemu-aarch64": ENTRY.format(state, flags, magic),
        },
    )


@pytest.mark.parametrize(
    ("state", "flags", "works"),
    [
        ("enabled", "F", True),
        ("enabled", "POCF", True),
        ("enabled", "POC", False),
        ("enabled", "", False),
        ("disabled", "F", False),
    ],
)
def test_in_containers(tmp_path: Path, state: str, flags: str, works: bool) -> None:
    (handler,) = aarch64_handlers(table(tmp_path, state, flags))
    assert handler == Handler("qemu-aarch64", state == "enabled", "/usr/bin/qemu-aarch64", flags)
    assert handler.in_containers == works


def test_other_architectures_are_not_counted(tmp_path: Path) -> None:
    riscv = "7f454c460201010000000000000000000200f300"
    assert aarch64_handlers(table(tmp_path, magic=riscv)) == []
    assert aarch64_handlers(tmp_path / "absent") == []


@pytest.mark.parametrize(
    ("handlers", "what", "next_step"),
    [
        ([], "no emulation", "binfmt --install arm64"),
        ([Handler("q", False, "/q", "F")], "switched off", "echo 1 >"),
        ([Handler("q", True, "/q", "OC")], "lacks the flag F", "pytest-arm64 setup"),
        ([Handler("q", True, "/q", "F")], "and fails", "whether /q runs"),
    ],
)
def test_explanation(handlers: list[Handler], what: str, next_step: str) -> None:
    found = explanation(handlers)
    assert what in found[0]
    assert next_step in found[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=80))
def test_an_entry_of_any_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd").write_bytes(content)
    assert all(isinstance(handler, Handler) for handler in aarch64_handlers(tmp_path))
