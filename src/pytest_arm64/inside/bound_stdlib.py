"""What a session inside needs of the standard library, bound before any code of the project runs.

Tests replace such functions for a while or for good: ``mock`` and ``monkeypatch`` where they are
defined, pyfakefs and freezegun in the namespace of every module. Attributes of a class are reached
by neither.
"""

from __future__ import annotations

import faulthandler
import fcntl
import io
import json
import linecache
import os
import resource
import select
import sys
import time
from collections.abc import Callable
from typing import TextIO


class originals:  # noqa: N801  (stands for a module)
    """Functions as they were when this process started."""

    cancel_dump_later = staticmethod(faulthandler.cancel_dump_traceback_later)
    dump_later = staticmethod(faulthandler.dump_traceback_later)
    end_process = staticmethod(os._exit)
    fsdecode = staticmethod(os.fsdecode)
    fsencode = staticmethod(os.fsencode)
    getframe = staticmethod(sys._getframe)  # noqa: SLF001  (inspect's way makes a whole stack)
    getline = staticmethod(linecache.getline)
    getpid = staticmethod(os.getpid)
    getprofile = staticmethod(sys.getprofile)
    json_loads = staticmethod(json.loads)
    monotonic = staticmethod(time.monotonic)
    open = staticmethod(io.open)
    poll = staticmethod(select.poll)
    pwrite = staticmethod(os.pwrite)
    setprofile = staticmethod(sys.setprofile)
    stdout: TextIO | None = sys.__stdout__
    time = staticmethod(time.time)
    write = staticmethod(os.write)


# Descriptors of one session above the limit.
_ROOM = 16
# "All" descriptors of those who close them are often as many as these.
_LOWEST = 4096
# The kernel's table of descriptors is as long as the highest, and each fork copies it.
_HIGHEST = 65536


def private_copy(descriptor: int) -> int:
    """A copy of *descriptor* that stays open where a test closes "all" descriptors.

    It lies above the limit up to which this process may open any, if the hard limit allows that,
    and is closed in other programs.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= _HIGHEST + _ROOM:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGHEST)
    lowest = max(soft, _LOWEST)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + _ROOM, hard))
    except (OSError, ValueError):  # beyond the hard limit
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, max(3, soft - _ROOM))
    try:
        return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, lowest)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def json_encoder() -> Callable[[object], str]:
    """Encodes any value as JSON in one line of ASCII; what JSON does not have is described.

    Line separators and lone surrogates of a test's making stay inside the strings.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without CPython's accelerator
        return json.JSONEncoder(separators=(",", ":"), skipkeys=True, default=_described).encode
    text = json.encoder.encode_basestring_ascii
    pieces = make(None, _described, text, None, ":", ",", False, True, True)
    return _Encoder(pieces).encode


class _Encoder:
    """Values that hold themselves are cut off."""

    def __init__(self, pieces: Callable[[object, int], tuple[str, ...]]) -> None:
        self._pieces = pieces

    def encode(self, value: object) -> str:
        try:
            return "".join(self._pieces(value, 0))
        except (RecursionError, ValueError):
            return "".join(self._pieces(_cut_off(value), 0))


def _cut_off(value: object, depth: int = 20) -> object:
    """*value* without what lies more than *depth* levels deep."""
    if isinstance(value, dict):
        return {k: _cut_off(v, depth - 1) for k, v in value.items()} if depth else "{...}"
    if isinstance(value, (list, tuple)):
        return [_cut_off(each, depth - 1) for each in value] if depth else "[...]"
    return value


def _described(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001  (any class of the project may raise anything here)
        return object.__repr__(value)
