"""Distributions by their hash: fetched once, checked, and found again without a network."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from .. import cache
from ..errors import InstallError
from ..index.addresses import file_path, shown
from ..index.fetch import Fetcher, FetchError
from .failures import HASH
from .planned_scope import PlannedPackage

KIND = "distributions"
_ADDRESSES = "distribution-hashes"
_CHUNK = 2**20
_BUFFER = 2**18  # one that is used again, and stays in the processor's cache
MOST_BYTES = 8 * 2**30
"""Of a distribution that is downloaded."""


def fetch(fetcher: Fetcher, package: PlannedPackage) -> Path:
    """The file of *package*.

    Raises:
        InstallError: it cannot be had, or is not what its hash says.
    """
    if package.url.startswith("file:"):
        path = file_path(package.url)
        if package.sha256 or package.allowed:
            check_hash(package, hash_of(path))
        return path
    # What an address names may be another file tomorrow; what a hash names may not.
    sha256 = package.sha256 or ("" if fetcher.refresh else _hash_by_address(package.url))
    if sha256:
        check_hash(package, sha256)
    cached = _place(sha256, package.file) if sha256 else None
    if cached is not None and _is_intact(cached, sha256):
        return cached
    return _download(fetcher, package)


def _is_intact(path: Path, sha256: str) -> bool:
    """Whether the cached file *path* is there and what its hash says; else it is fetched again."""
    with suppress(InstallError, OSError):
        if hash_of(path) == sha256:
            path.touch()  # what was used last is pruned last
            return True
    return False


def hash_of(path: Path) -> str:
    """Hexadecimal SHA-256 of the file *path*.

    Raises:
        InstallError: it cannot be read.
    """
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(_BUFFER))
    try:
        with path.open("rb", buffering=0) as stream:
            while size := stream.readinto(buffer):
                digest.update(buffer[:size])
    except OSError as error:
        raise InstallError(f"{path} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _place(sha256: str, file: str) -> Path:
    return cache.cache_folder() / KIND / sha256[:2] / sha256 / file


def _hash_by_address(url: str) -> str:
    record = cache.load(_ADDRESSES, cache.digest([url]))
    sha256 = (record or {}).get("sha256")
    return sha256 if isinstance(sha256, str) else ""


def _download(fetcher: Fetcher, package: PlannedPackage) -> Path:
    folder = cache.cache_folder() / KIND
    digest = hashlib.sha256()
    temporary = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as target, fetcher.open(package.url) as (reply, stream):
            if reply.status != 200:
                raise FetchError(f"{shown(package.url)} answers {reply.status}")  # noqa: TRY301  (as those of the fetcher)
            left = MOST_BYTES
            while chunk := stream.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise FetchError(f"it is larger than {MOST_BYTES >> 30} GiB")  # noqa: TRY301  (as above)
                digest.update(chunk)
                target.write(chunk)
        sha256 = digest.hexdigest()
        check_hash(package, sha256)
        path = _place(sha256, package.file)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(path)
    except FetchError as error:
        raise InstallError(
            f"{package.file} could not be fetched: {error}",
            why="the environment needs exactly this file",
            next_step="check the network; with --arm64-offline, run once without it",
        ) from None
    except OSError as error:
        raise InstallError(
            f"{package.file} could not be saved: {error}",
            next_step=f"free some space below {cache.cache_folder()}: pytest-arm64 cache prune",
        ) from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    if not package.sha256:
        cache.store(_ADDRESSES, cache.digest([package.url]), {"sha256": sha256})
    return path


def check_hash(package: PlannedPackage, sha256: str) -> None:
    """Raises InstallError: *package* must not have a file with *sha256*."""
    expected = package.allowed | ({package.sha256} if package.sha256 else set())
    if expected and sha256 not in expected:
        raise InstallError(
            f"{package.file} is not what its hash says ({HASH}): expected sha256 "
            f"{' or '.join(sorted(expected))}, got {sha256}",
            why="it was changed on its way, or the requirements were locked without this file",
            next_step="lock again for all platforms, if the lock was made on x86 only; else try "
            "again with --arm64-refresh, and ask the operator of the index",
        )
