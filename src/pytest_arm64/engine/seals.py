"""Which images are ours: each has a label that only this user of this machine can make.

A name in an engine can be anybody's: another user's of a shared engine, or of an image that was
loaded from a file. An image whose label does not fit is neither used nor removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..config.trust import trusted_folder
from .endpoint import LABEL

NAME_LABEL = f"{LABEL}.name"
"""The tag that an image was made with."""
BASE_LABEL = f"{LABEL}.base"
"""Id of the image that it was made from."""
SEAL_LABEL = f"{LABEL}.seal"
_BYTES = 32


def sealed(tag: str, labels: Mapping[str, str]) -> dict[str, str]:
    """*labels* of an image that gets *tag*, with its name and seal."""
    named = {**labels, NAME_LABEL: tag}
    return {**named, SEAL_LABEL: _seal(named)}


def is_ours(labels: Mapping[str, str] | None) -> bool:
    """Whether an image with *labels* was made by this user here; it may be called otherwise."""
    labels = labels or {}
    return hmac.compare_digest(labels.get(SEAL_LABEL, "").encode(), _seal(labels).encode())


def is_made_image(listed: Mapping[str, Any]) -> bool:
    """Whether *listed*, an image as an engine lists it, is ours and still called as it was made.

    An image that somebody builds from ours has its labels, and another name.
    """
    labels = listed.get("Labels") or {}
    name = labels.get(NAME_LABEL, "")
    names = [tag for tag in listed.get("RepoTags") or () if tag != "<none>:<none>"]
    # Podman puts the host before it.
    called = not names or any(f"/{tag}".endswith(f"/{name}") for tag in names)
    return is_ours(labels) and called


def _seal(labels: Mapping[str, str]) -> str:
    text = json.dumps([labels.get(NAME_LABEL, ""), labels.get(BASE_LABEL, "")])
    return hmac.new(_secret(), text.encode(), hashlib.sha256).hexdigest()


def secret_path() -> Path:
    """The file of the secret, which is there once an image was made."""
    return trusted_folder() / "image-secret"


def _secret() -> bytes:
    path = secret_path()
    secret = _read(path)
    if not secret:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, secrets.token_bytes(_BYTES))
        # Another process may have been first.
        secret = _read(path)
    return secret or _of_machine()


def _read(path: Path) -> bytes:
    """The secret; empty where it is no file of this user's that nobody else can read."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as stream:
            about = os.fstat(handle)
            private = stat.S_ISREG(about.st_mode) and not about.st_mode & 0o077
            if private and about.st_uid == os.getuid() and about.st_size == _BYTES:
                return stream.read(_BYTES)
    return b""


def _write(path: Path, secret: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secret)
        if _read(path):
            return
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _of_machine() -> bytes:
    """Where nothing can be written, what is the same in each run: images must not pile up."""
    machine = b""
    with contextlib.suppress(OSError):
        machine = Path("/etc/machine-id").read_bytes()
    return hashlib.sha256(b"%s/%d" % (machine, os.getuid())).digest()
