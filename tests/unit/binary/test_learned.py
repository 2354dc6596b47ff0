"""Facts that were read from an image: they answer as the image would, and say how old they are."""

from __future__ import annotations

import json
import sqlite3
import struct
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_arm64.binary.filetree import folder_tree
from pytest_arm64.binary.judge import judge
from pytest_arm64.binary.learned import Learned, learn, read_learned
from pytest_arm64.binary.rootfs import read_root
from pytest_arm64.binary.system import looked_up_system
from pytest_arm64.binary.system_packages import alpine_packages, debian_packages, rpm_packages
from pytest_arm64.errors import ArtifactError
from unit.binary.elves import X86_64, elf, write
from unit.binary.roots import tar

DAY = date(2026, 11, 30)
FILES: dict[str, bytes | str | None] = {
    "lib64": "usr/lib64",
    "etc/ld.so.conf": b"include /etc/ld.so.conf.d/*.conf\n",
    "etc/ld.so.conf.d/own.conf": b"/opt/own\n",
    "usr/lib64/libc.so.6": elf(soname="libc.so.6", defines=["GLIBC_2.17", "GLIBC_2.34"]),
    "usr/lib64/libz.so.1": "libz.so.1.2.11",
    "usr/lib64/libz.so.1.2.11": elf(soname="libz.so.1", defines=["ZLIB_1.2.9"]),
    "usr/lib64/libother.so.1": elf(machine=X86_64),
    "usr/lib64/python3/ext.so": elf(),
    "usr/lib64/broken.so": b"\x7fELF",
    "opt/own/libown.so.1": elf(soname="libown.so.1"),
    "usr/lib/os-release": b'NAME="Amazon Linux"\nID="amzn"\nVERSION_ID=2023\n'
    b"PRETTY_NAME='Amazon Linux 2023.12.20260727'\n",
    "etc/os-release": "../usr/lib/os-release",
}
NEEDS = {
    "a/old.so": elf(needed=["libc.so.6", "libz.so.1"], needs={"libc.so.6": ["GLIBC_2.17"]}),
    "a/new.so": elf(needed=["libc.so.6"], needs={"libc.so.6": ["GLIBC_2.38"]}),
    "a/missing.so": elf(needed=["libGL.so.1", "libother.so.1"]),
    "a/own.so": elf(needed=["libown.so.1", "libz.so.1.2.11"]),
    "a/pages.so": elf(align=1024),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "root.tar"
    path.write_bytes(tar(FILES))
    return path


def test_what_is_read(root: Path) -> None:
    found = learn(read_root(root), "root.tar", DAY)
    assert (found.os, found.release) == ("amzn 2023", "Amazon Linux 2023.12.20260727")
    assert (found.read, found.source, found.loader) == ("2026-11-30", "root.tar", "2.34")
    assert set(found.libraries) == {"libc.so.6", "libz.so.1", "libz.so.1.2.11", "libown.so.1"}
    assert found.libraries["libz.so.1"].soname == "libz.so.1"
    assert found.nodes == ("GLIBC_2.17", "GLIBC_2.34", "ZLIB_1.2.9")


def test_they_answer_as_the_image_does(root: Path, tmp_path: Path) -> None:
    files = read_root(root)
    image = looked_up_system(
        files.tree, name="x", machine="aarch64", page_size=4096, library_path=""
    )
    facts = learn(files, "root.tar", DAY)
    again = Learned.from_json(json.loads(json.dumps(facts.to_json())))
    assert again == facts
    tree = folder_tree(write(tmp_path / "site", NEEDS), "/site")
    of_image = judge("a", tree, "/site", image, "dnf").findings
    of_facts = judge("a", tree, "/site", again.system(DAY), "dnf").findings
    assert of_facts == of_image
    assert {f.path for f in of_facts if f.grave} == {"a/new.so", "a/missing.so", "a/pages.so"}


def test_they_say_how_old_they_are(root: Path) -> None:
    facts = learn(read_root(root), "root.tar", DAY)
    name = facts.system(date(2027, 1, 30)).name
    assert name == "facts of root.tar, read 2026-11-30 (61 days ago)"


@pytest.mark.parametrize("files", [{}, {"lib64/libx.so": elf(machine=X86_64)}, {"a": b"text"}])
def test_what_is_no_system_for_arm64_is_refused(
    tmp_path: Path, files: dict[str, bytes | str | None]
) -> None:
    path = tmp_path / "root.tar"
    path.write_bytes(tar(files))
    with pytest.raises(ArtifactError, match="no shared library for aarch64"):
        learn(read_root(path), "root.tar", DAY)


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "libraries": 3}', "\x00"]
)
def test_a_damaged_file_is_refused_with_the_command_that_writes_it(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "facts.json"
    path.write_text(content, "utf-8")
    with pytest.raises(ArtifactError, match="pytest-arm64 target learn"):
        read_learned(path)


def test_a_day_that_is_none_is_refused(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    data = learn(read_root(root), "root.tar", DAY).to_json()
    path.write_text(json.dumps({**data, "read": "yesterday"}), "utf-8")
    with pytest.raises(ArtifactError, match="read"):
        read_learned(path)


DPKG = """\
Package: libc6
Status: install ok installed
Description: a library
 Package: not-this
Version: 2.36-9

Package: removed
Status: deinstall ok config-files
Version: 1
"""
APK = "C:Q1\nP:musl\nV:1.2.5-r9\n\nP:zlib\nV:1.3.1-r2\nF:lib\n"


def test_packages_of_debian_and_alpine() -> None:
    assert debian_packages(DPKG) == {"libc6": "2.36-9"}
    assert alpine_packages(APK) == {"musl": "1.2.5-r9", "zlib": "1.3.1-r2"}


def header(values: dict[int, str]) -> bytes:
    """A header as rpm stores it: count, size, entries of four words, then the texts."""
    data, entries = b"", b""
    for tag, text in values.items():
        entries += struct.pack(">IIII", tag, 6, len(data), 1)
        data += text.encode() + b"\0"
    return struct.pack(">II", len(values), len(data)) + entries + data


def rpm_database(folder: Path, headers: list[object], schema: str = "") -> bytes:
    path = folder / "rpmdb.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(schema or "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
        for content in headers:
            database.execute("INSERT INTO Packages (blob) VALUES (?)", (content,))
    database.close()
    return path.read_bytes()


def test_packages_of_rpm(tmp_path: Path) -> None:
    glibc = header({1000: "glibc", 1001: "2.34", 1002: "231.amzn2023.0.5", 1004: "C library"})
    key = header({1000: "gpg-pubkey", 1001: "d832c631"})
    database = rpm_database(tmp_path, [glibc, key, header({}), b"short", None, "text"])
    assert rpm_packages(database) == {"glibc": "2.34-231.amzn2023.0.5", "gpg-pubkey": "d832c631-"}


def test_a_database_that_computes_for_ever_ends(tmp_path: Path) -> None:
    endless = (
        "CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS "
        "(SELECT 1 UNION ALL SELECT blob + 1 FROM n) SELECT count(*) AS blob FROM n"
    )
    assert rpm_packages(rpm_database(tmp_path, [], endless)) == {}


@given(st.binary(max_size=300))
def test_any_header_of_rpm_is_read_or_left_out(content: bytes) -> None:
    from pytest_arm64.binary import system_packages

    found = system_packages._rpm_package(content)
    assert found is None or all(isinstance(word, str) for word in found)


@pytest.mark.parametrize("database", [b"", b"SQLite format 3\0", b"no database" * 100])
def test_what_is_no_database_has_no_packages(database: bytes) -> None:
    assert rpm_packages(database) == {}
