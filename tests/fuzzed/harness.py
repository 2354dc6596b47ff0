"""Reads damaged files one after another, and says of each whether its reader took it well."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType
from unittest import mock

from .damage import damaged

SECONDS = 5
"""Of a processor, for one file."""


class HangError(BaseException):
    """A reader took more than SECONDS of a processor; none catches it by accident."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """Files of one format."""

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[bytes, Path], object]
    """Reads one file, which it may first write into the given folder."""
    refusals: Callable[[], tuple[type[Exception], ...]]
    """What it raises for a file that it refuses."""
    parts: Callable[[bytes, Random], bytes] | None = None
    """Damages what is packed inside, and packs it again."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What the reader did with one damaged file."""

    number: int
    data: bytes
    refused: bool
    problem: str
    """Empty where the reader read or refused it as it should."""
    seconds: float
    """Of a processor."""


def fuzz(
    name: str, kind: Kind, numbers: range, folder: Path, *, seed: int = 0, clock: float = 0
) -> Iterator[Outcome]:
    """Read the damaged files *numbers*; an outcome for each.

    Args:
        name: the kind's; a part of what seeds the random numbers.
        kind: how these files look, and how they are read.
        numbers: of the files; one seed and number are always the same file.
        folder: an empty folder, which is all that the reader may write to.
        seed: of the random numbers.
        clock: seconds after which the system ends this process if a file is not read; 0 for never.
    """
    seeds = kind.seeds()
    refusals = kind.refusals()
    with _at_home(folder) as place:
        for whole in seeds:
            kind.read(whole, place)
        with _watched(folder) as writes, _limited():
            for number in numbers:
                data = _file(name, kind, seeds, Random(f"{seed}-{name}-{number}"))
                began = time.process_time()
                refused, problem = _read(kind, data, place, refusals, clock)
                if writes:
                    problem = f"outside of its folder: {writes.pop()}"
                    writes.clear()
                yield Outcome(number, data, refused, problem, time.process_time() - began)


def _file(name: str, kind: Kind, seeds: Sequence[bytes], chance: Random) -> bytes:
    whole = chance.choice(seeds)
    if kind.parts is not None and chance.random() < 0.6:
        return kind.parts(whole, chance)
    return damaged(whole, chance, seeds)


def _read(
    kind: Kind, data: bytes, place: Path, refusals: tuple[type[Exception], ...], clock: float
) -> tuple[bool, str]:
    """Whether it was refused, and what was wrong with that."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, clock)
    try:
        kind.read(data, place)
    except refusals:
        return True, ""
    except HangError:
        return False, f"took more than {SECONDS} s"
    except (Exception, SystemExit) as error:  # noqa: BLE001  # which ones there are is the question
        return False, f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return False, ""


@contextmanager
def _limited() -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise HangError

    before = signal.signal(signal.SIGPROF, late)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


@contextmanager
def _at_home(folder: Path) -> Iterator[Path]:
    """A folder below *folder* for the files, with caches and temporary files next to it."""
    places = {name: folder / name for name in ("files", "home", "cache", "tmp")}
    for place in places.values():
        place.mkdir()
    variables = {
        "HOME": str(places["home"]),
        "XDG_CACHE_HOME": str(places["cache"]),
        "XDG_CONFIG_HOME": str(places["home"]),
        "TMPDIR": str(places["tmp"]),
    }
    before = Path.cwd()
    with (
        mock.patch.dict(os.environ, variables),
        mock.patch.object(tempfile, "tempdir", variables["TMPDIR"]),
        mock.patch.object(sys, "dont_write_bytecode", True),
    ):
        os.chdir(places["files"])
        try:
            yield places["files"]
        finally:
            os.chdir(before)


# --- what is changed elsewhere -------------------------------------------------------------------

_CHANGES = {
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.link": (1,),
    "os.mkdir": (0,),
    "os.remove": (0,),
    "os.rename": (0, 1),
    "os.rmdir": (0,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.utime": (0,),
}
"""Audit events, and which of their arguments are paths that change."""
_STARTS = ("os.exec", "os.posix_spawn", "os.system", "socket.connect", "subprocess.Popen")
_NEVER_READ = "/etc/passwd"
"""One of damage.WORDS: no file may lead the reader there."""
_WATCHED: list[tuple[str, list[str]]] = []
_HOOKS: list[Callable[[str, tuple[object, ...]], None]] = []


@contextmanager
def _watched(folder: Path) -> Iterator[list[str]]:
    """What is changed outside of *folder*, started or read against the rules, while it lasts."""
    if not _HOOKS:  # an audit hook stays for as long as the process
        _HOOKS.append(_on_event)
        sys.addaudithook(_on_event)
    events: list[str] = []
    _WATCHED.append((os.path.realpath(folder), events))
    try:
        yield events
    finally:
        _WATCHED.pop()


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    if not _WATCHED:
        return
    folder, events = _WATCHED[-1]
    if event == "open":
        path, _, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if path == _NEVER_READ or (writes and _is_outside(path, folder)):
            events.append(f"open {path!r}")
    elif event in _STARTS:
        events.append(f"{event} {arguments!r}"[:200])
    else:
        for index in _CHANGES.get(event, ()):
            if _is_outside(arguments[index], folder):
                events.append(f"{event} {arguments[index]!r}")


def _is_outside(path: object, folder: str) -> bool:
    if not isinstance(path, (str, bytes, os.PathLike)):
        return False  # a descriptor that is open already
    try:
        real = os.path.realpath(os.fsdecode(path))
    except ValueError:
        return False  # no path at all: the call fails
    return not real.startswith((f"{folder}/", "/dev/null"))
