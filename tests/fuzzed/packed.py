"""Damages what is packed: a member's content or name, or the archive itself."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from random import Random

from .damage import damaged


def within_zip(data: bytes, chance: Random) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in _with_damage(members, chance).items():
            archive.writestr(name, content)
    return buffer.getvalue()


def within_tar(data: bytes, chance: Random) -> bytes:
    if chance.random() < 0.4:  # the tar itself; behind gzip's checksum no damage would arrive
        return gzip.compress(damaged(gzip.decompress(data), chance, [data]), 1)
    members = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for info in archive:
            content = archive.extractfile(info)
            members[info.name] = content.read() if content else b""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for name, content_ in _with_damage(members, chance).items():
            info = tarfile.TarInfo(name)
            info.size = len(content_)
            archive.addfile(info, io.BytesIO(content_))
    return buffer.getvalue()


def _with_damage(members: Mapping[str, bytes], chance: Random) -> dict[str, bytes]:
    """*members* with one damaged, as content or as a name."""
    result = dict(members)
    name = chance.choice(sorted(result))
    if chance.random() < 0.3:
        content = result.pop(name)
        broken = damaged(name.encode(), chance, [b"../x/", b"a" * 300])
        name = broken.replace(b"\0", b"").decode("utf-8", "replace")[:500] or "x"
        result[name] = content
    else:
        result[name] = damaged(result[name], chance, sorted(members.values()))
    return result
