"""What wheels hold, by their directories: read in parts, cached by hash."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from packaging.version import Version

from .. import cache
from ..index.simple import IndexFile
from ..inside.counted import counted
from ..records import decode, encode

# A lock whose wheels were looked into before needs no index.
if TYPE_CHECKING:
    from ..index.index import Index

RULES = 2
"""Counts up when the same files would be judged differently."""
_KIND = "wheel-contents"
_MOST_NAMED = 3
_FRESH_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class WheelContents:
    """One wheel."""

    x86: tuple[str, ...]
    """Files for x86-64 Linux, where it is for any platform and has none for ARM64."""
    size: int = 0
    """Bytes of the wheel."""
    unpacked: int = 0
    """Bytes of its files once they are installed, without byte-code."""
    modules: tuple[str, ...] = ()
    """Extension modules: paths without what differs between machines."""
    libraries: tuple[str, ...] = ()
    """Libraries that were copied into it, each with the version in its file name."""

    @property
    def named(self) -> str:
        """The first of them, in words."""
        more = len(self.x86) - _MOST_NAMED
        return ", ".join(self.x86[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class WheelReader:
    """Looks into wheels of one index, each once."""

    def __init__(self, index: Callable[[], Index]) -> None:
        """*index* is called when a wheel has to be fetched."""
        self._index = index
        self._read: dict[str, WheelContents | None] = {}
        self.unread: dict[str, str] = {}
        """By file: why it could not be looked into."""

    def contents(self, files: Mapping[str, IndexFile]) -> dict[str, WheelContents]:
        """What *files*, by project, hold; without those that cannot be read."""
        self.read(files.items())
        read = {name: self._read.get(record_key(file)) for name, file in files.items()}
        return {name: contents for name, contents in read.items() if contents is not None}

    def read(self, files: Iterable[tuple[str, IndexFile]]) -> None:
        """Look into *files*, each with its project, several at once."""
        missing = {record_key(f): (project, f) for project, f in files if not self._has(f)}
        if missing:
            self._fetch(missing.values())

    def for_arm(self, project: str, file: IndexFile) -> bool:
        """Whether ARM64 can use what *file* holds; False where it cannot be read."""
        if not is_for_any(file):
            return True
        contents = self.contents({project: file}).get(project)
        return contents is not None and not contents.x86

    def notes(self) -> Iterator[str]:
        """What was not looked into, and why."""
        if self.unread:
            count = len(self.unread)
            what = counted(count, "wheel")
            reason = next(iter(self.unread.values()))
            yield f"{what} for any platform not looked into for programs: {reason}"

    def _has(self, file: IndexFile) -> bool:
        key = record_key(file)
        if key not in self._read:
            contents = _cached(file, key)
            if contents is None:
                return False
            self._read[key] = contents
        return True

    def _fetch(self, files: Iterable[tuple[str, IndexFile]]) -> None:
        from ..index.archives import ArchiveError
        from ..index.fetch import FetchError
        from ..index.workers import DaemonWorkers

        index = self._index()
        workers = DaemonWorkers()
        reads = [(f, workers.submit(partial(_fetched, index, name, f))) for name, f in files]
        workers.close()
        for file, reading in reads:
            key = record_key(file)
            try:
                contents = reading.result(index.deadline.left() + 0.1)
            except (ArchiveError, FetchError, OSError, ValueError, FutureTimeout) as error:
                self._read[key] = None
                # What a native wheel holds changes no state.
                if is_for_any(file):
                    self.unread[file.name] = str(error) or type(error).__name__
                continue
            self._read[key] = contents
            cache.store(_KIND, key, {**encode(contents), "fetched": time.time()})


def is_for_any(file: IndexFile) -> bool:
    """Whether *file* is a wheel for any platform by its name."""
    return file.name.endswith("-any.whl")


def record_key(file: IndexFile) -> str:
    """Under which it is cached what *file* holds."""
    return cache.digest([RULES, file.name, file.sha256 or file.url])


def _cached(file: IndexFile, key: str) -> WheelContents | None:
    """What *file* was seen to hold: without a hash its address has to do, and not for ever."""
    record = cache.load(_KIND, key)
    if record is None or (file.url.startswith("file:") and not file.sha256):
        return None
    fetched = record.get("fetched")
    age = time.time() - fetched if isinstance(fetched, float) else _FRESH_SECONDS
    if not file.sha256 and not 0 <= age < _FRESH_SECONDS:
        return None
    try:
        return decode(WheelContents, record)
    except ValueError:
        return None


def _fetched(index: Index, project: str, file: IndexFile) -> WheelContents:
    from ..index.fetch import FetchError
    from ..index.remote_metadata import wheel_content
    from .wheel_listing import listing
    from .wheel_rules import opened_wheel, x86_members_of

    if not file.url:
        listed = index.page(project).releases.get(Version(file.version), ())
        file = next((f for f in listed if f.name == file.name), file)
    if not file.url:
        raise FetchError(f"the index does not have {file.name}")
    with wheel_content(index.fetcher, file) as wheel, opened_wheel(wheel) as opened:
        directory = listing(opened)
        x86 = x86_members_of(opened) if is_for_any(file) else ()
        return WheelContents(
            x86,
            wheel.seek(0, io.SEEK_END),
            directory.unpacked,
            directory.modules,
            directory.libraries,
        )
