"""Maps of a process, as the kernel writes them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_arm64.inside.mapped import mapped_libraries

MAPS = """\
5500000000-5500001000 r-xp 00000000 00:2f 1234   /usr/bin/python3.11
7f00000000-7f00001000 r-xp 00000000 00:2f 1235   /opt/a b/_c.cpython-311-aarch64-linux-gnu.so
7f00002000-7f00003000 r--p 00001000 00:2f 1235   /opt/a b/_c.cpython-311-aarch64-linux-gnu.so
7f00004000-7f00005000 r-xp 00000000 00:2f 1236   /usr/lib/libz.so.1.2.13
7f00006000-7f00007000 r-xp 00000000 00:2f 1237   /tmp/gone.so (deleted)
7f00008000-7f00009000 rw-p 00000000 00:00 0
7f0000a000-7f0000b000 rw-p 00000000 00:00 0      [stack]
"""


def test_each_library_once_whatever_its_name_holds(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.write_text(MAPS, "utf-8")
    assert mapped_libraries(str(maps)) == [
        "/opt/a b/_c.cpython-311-aarch64-linux-gnu.so",
        "/tmp/gone.so",
        "/usr/lib/libz.so.1.2.13",
    ]


def test_no_maps_are_no_error(tmp_path: Path) -> None:
    assert mapped_libraries(str(tmp_path / "none")) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_the_c_library_of_this_very_process_is_among_them() -> None:
    assert any("/libc" in path for path in mapped_libraries())
