"""What others have written is read within bounds, and nothing is waited for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pytest_arm64.inside.regular_file import UnfitFileError, read_regular, read_regular_text
from unit.lying_zips import little_memory


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(UnfitFileError, match="larger than 0 MiB"):
        read_regular(path, 4)


def test_a_link_counts_by_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"1"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnfitFileError, match="not a regular file"):
        read_regular(tmp_path / "pipe")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device_is_not_read(tmp_path: Path, device: str) -> None:
    (tmp_path / "link").symlink_to(device)
    with pytest.raises(UnfitFileError):
        read_regular(tmp_path / "link")


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("\ufeff3.12\n".encode())
    assert read_regular_text(tmp_path / "file") == "3.12\n"


def test_a_small_file_takes_little_memory_whatever_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    with little_memory(1 << 20):
        assert read_regular(path, 256 << 20) == b"12345"


def test_a_file_that_states_no_size_is_read_whole() -> None:
    assert read_regular("/proc/self/status").startswith(b"Name:")


def test_a_file_that_grew_meanwhile_is_read_whole_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"1" * 200_000)
    status = os.stat_result((stat.S_IFREG, 0, 0, 1, 0, 0, 3, 0, 0, 0))
    monkeypatch.setattr("pytest_arm64.inside.regular_file.os.fstat", lambda _: status)
    assert len(read_regular(path)) == 200_000
    with pytest.raises(UnfitFileError):
        read_regular(path, 150_000)
