"""Packages that a container installed: taken as root's, without what a build must not leave."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tarfile
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from pytest_arm64.environment.taken_packages import take_packages
from unit.support import unpacked

SITE = "env/lib/python3.12/site-packages"
INFO = f"{SITE}/demo-1.dist-info"


def archive_of(*members: tuple[str, Any], top: str = "pytest-arm64/") -> io.BytesIO:
    """A tar of *members*: content by name, or what else a member is."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, what in members:
            info = tarfile.TarInfo(f"{top}{name}")
            info.uid = info.gid = 65534
            info.uname = "nobody"
            content = what if isinstance(what, bytes) else b""
            if not isinstance(what, bytes):
                info.type, info.linkname, info.mode = what
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    buffer.seek(0)
    return buffer


def taken(
    *members: tuple[str, Any], whole: bool = True
) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    with take_packages(archive_of(*members), "/opt", whole=whole) as stream:
        found = unpacked(stream.read() + bytes(1024))
    return {name.removeprefix("opt/pytest-arm64/"): entry for name, entry in found.items()}


def test_files_are_roots() -> None:
    ((info, content),) = taken((f"{SITE}/demo.py", b"x = 1\n")).values()
    assert (info.uid, info.gid, info.uname, content) == (0, 0, "", b"x = 1\n")


@pytest.mark.parametrize("bits", [0o4755, 0o2755, 0o1777, 0o6777])
def test_no_file_becomes_a_set_user_id_program(bits: int) -> None:
    entries = taken(("env/bin/tool", (tarfile.REGTYPE, "", bits)))
    assert entries["env/bin/tool"][0].mode == bits & 0o777


@pytest.mark.parametrize(
    "name",
    [
        "inside/pytest_arm64_inside/agent.py",
        "record.json",
        "abi.json",
        "out/x",
        "envoy/x",
        "build/x",
    ],
)
def test_only_packages_are_taken(name: str) -> None:
    assert list(taken((name, b"evil"), (f"{SITE}/demo.py", b""))) == [f"{SITE}/demo.py"]


@pytest.mark.parametrize("kind", [tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_neither_devices_nor_pipes_are_taken(kind: bytes) -> None:
    assert taken((f"{SITE}/demo", (kind, "", 0o644))) == {}


def test_links_belong_to_a_whole_environment_only() -> None:
    link = ("env/lib64", (tarfile.SYMTYPE, "lib", 0o777))
    assert taken(link)["env/lib64"][0].linkname == "lib"
    assert taken(link, whole=False) == {}


def test_a_hard_link_becomes_a_file() -> None:
    entries = taken(
        (f"{SITE}/one.py", b"same"),
        (f"{SITE}/two.py", (tarfile.LNKTYPE, f"pytest-arm64/{SITE}/one.py", 0o644)),
    )
    info, content = entries[f"{SITE}/two.py"]
    assert info.isreg()
    assert content == b"same"


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("https://me:secret@host/demo-1.whl", "https://host/demo-1.whl"),
        ("https://host/demo-1.whl?token=secret", "https://host/demo-1.whl"),
        ("https://host/demo-1.whl?a=secret#sha256=secret", "https://host/demo-1.whl"),
        ("https://secret@host/a.tgz?x=secret#subdirectory=s", "https://host/a.tgz#subdirectory=s"),
        ("ssh://git:secret@host/repo", "ssh://host/repo"),
    ],
)
@pytest.mark.parametrize("record_first", [True, False])
def test_a_recorded_address_has_no_credentials_and_its_record_says_so(
    url: str, left: str, record_first: bool
) -> None:
    address = json.dumps({"url": url, "archive_info": {}}).encode()
    record = b"demo.py,sha256=x,1\ndemo-1.dist-info/direct_url.json,sha256=old,9\n"
    members = [(f"{INFO}/direct_url.json", address), (f"{INFO}/RECORD", record)]
    entries = taken(*(reversed(members) if record_first else members))
    content = entries[f"{INFO}/direct_url.json"][1]
    assert json.loads(content) == {"url": left, "archive_info": {}}
    assert b"secret" not in content
    rows = list(csv.reader(entries[f"{INFO}/RECORD"][1].decode().splitlines()))
    assert rows[0] == ["demo.py", "sha256=x", "1"]
    _, value, size = rows[1]
    assert urlsafe_b64decode(value.partition("=")[2] + "=") == hashlib.sha256(content).digest()
    assert int(size) == len(content)


def test_what_says_no_secret_stays_as_it_is() -> None:
    address = b'{"url": "file:///home/me/demo",  "dir_info": {"editable": true}}'
    members = [(f"{INFO}/direct_url.json", address), (f"{INFO}/RECORD", b"as it was\r\n")]
    entries = taken(*members)
    assert entries[f"{INFO}/direct_url.json"][1] == address
    assert entries[f"{INFO}/RECORD"][1] == b"as it was\r\n"


@pytest.mark.parametrize("content", [b"no JSON secret", b"[]", b'{"url": 3}', b"3", b"[" * 9999])
def test_what_is_no_address_says_nothing_afterwards(content: bytes) -> None:
    entries = taken((f"{INFO}/direct_url.json", content))
    assert b"secret" not in entries[f"{INFO}/direct_url.json"][1]
