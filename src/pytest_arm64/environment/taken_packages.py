"""Packages that a container has installed, as files of root: what becomes part of an image.

What built them ran in there: only packages are taken, without set-user-id bits, and the addresses
that pip writes down without credentials.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Iterator
from typing import IO

from ..index.addresses import public
from .tree import ENV, HOME, TESTS

_RECORDED_ADDRESS = "/direct_url.json"
_MAXIMUM_TEXT = 16 * 2**20


def take_packages(archive: IO[bytes], parent: str, *, whole: bool) -> IO[bytes]:
    """The packages in *archive*, a folder of a container in *parent*, as a tar, which is the
    caller's to close.

    A *whole* environment has symbolic links, and the tar its end. Hard links become files.
    """
    target: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    try:
        with tarfile.open(fileobj=archive) as source:
            cleaned = _without_credentials(source, parent)
            written = tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115  (no end is written)
            for member in source:
                content = source.extractfile(member) if member.isreg() or member.islnk() else None
                name = f"{parent}/{member.name}"
                if name != HOME and not f"{name}/".startswith((f"{ENV}/", f"{TESTS}/")):
                    continue
                if content is None and not (member.isdir() or (whole and member.issym())):
                    continue
                if name in cleaned:
                    content = io.BytesIO(cleaned[name])
                written.addfile(_of_root(member, name, content), content)
            if whole:
                target.write(bytes(2 * tarfile.BLOCKSIZE))
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target


def _of_root(member: tarfile.TarInfo, name: str, content: IO[bytes] | None) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name.lstrip("/"))
    info.mode, info.mtime = member.mode & 0o777, member.mtime
    if content is None:
        info.type, info.linkname = member.type, member.linkname
    else:
        info.size = content.seek(0, io.SEEK_END)
        content.seek(0)
    return info


def _without_credentials(source: tarfile.TarFile, parent: str) -> dict[str, bytes]:
    """By name: recorded addresses that say more than they may, and the records of their hashes."""
    cleaned = dict(_addresses(source, parent))
    for member in source if cleaned else ():
        folder, _, last = f"{parent}/{member.name}".rpartition("/")
        address = f"{folder}{_RECORDED_ADDRESS}"
        if last == "RECORD" and address in cleaned and member.isreg():
            record = _text(source, member)
            cleaned[f"{folder}/RECORD"] = _with_hash(record, address, cleaned[address])
    return cleaned


def _addresses(source: tarfile.TarFile, parent: str) -> Iterator[tuple[str, bytes]]:
    for member in source:
        name = f"{parent}/{member.name}"
        if not (name.endswith(f".dist-info{_RECORDED_ADDRESS}") and member.isreg()):
            continue
        text = _text(source, member)
        try:
            data = json.loads(text)
            address = {**data, "url": public(str(data["url"]))}
        except (ValueError, LookupError, TypeError, RecursionError):
            address = {}  # whatever it says, it is no address
        if not address or address["url"] != data["url"]:
            yield name, json.dumps(address).encode()


def _text(source: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    stream = source.extractfile(member)
    assert stream is not None
    return stream.read(_MAXIMUM_TEXT).decode("utf-8", "replace")


def _with_hash(record: str, path: str, content: bytes) -> bytes:
    """*record* with the hash and size of *content*, which is at *path*."""
    info, _, name = path.rpartition("/")
    relative = f"{info.rpartition('/')[2]}/{name}"
    value = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    entry = [relative, f"sha256={value}", str(len(content))]
    rows = [entry if row[:1] == [relative] else row for row in csv.reader(record.splitlines())]
    with io.StringIO(newline="") as text:
        csv.writer(text, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
