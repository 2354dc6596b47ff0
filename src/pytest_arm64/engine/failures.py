"""What goes wrong on the way to the engine and back, as errors that a user can read."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import EngineError, SpaceError


@contextmanager
def local_errors(path: str) -> Iterator[None]:
    """Tell a full disk of this machine from an engine that fails: *path* is the container's."""
    try:
        yield
    except OSError as error:
        raise SpaceError(
            f"{path} of the container could not be written to {tempfile.gettempdir()}: "
            f"{error.strerror}",
            why="what the tests leave behind passes through a temporary file",
            next_step="free some space there, or name another folder: export TMPDIR=…",
        ) from None


@contextmanager
def engine_errors(what: str) -> Iterator[None]:
    """Turn whatever docker-py raises into an ``EngineError`` that says *what* failed."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        text = str(error.explanation or error)
        if "no space left" in text:
            raise no_space(what, text) from None
        raise EngineError(f"{what}: {text}") from None
    except (DockerException, RequestException, OSError) as error:
        raise EngineError(
            f"{what}: {_plainly(error)}",
            next_step="look whether the engine still runs: docker version",
        ) from None


def _plainly(error: Exception) -> str:
    """What a person wants to know of *error*, which may hold others one in the other."""
    text = str(error)
    if "RemoteDisconnected" in text or "ConnectionResetError" in text or "BrokenPipe" in text:
        return "the engine ended the connection without an answer"
    if "FileNotFoundError" in text or "ConnectionRefusedError" in text:
        return "the engine is not there any more"
    return text


def no_space(what: str, text: str) -> SpaceError:
    """The error for a full disk of the engine's."""
    return SpaceError(
        f"{what}: {text}",
        why="images and containers live on the engine's disk",
        next_step="see what takes the space: docker system df; free some: docker image prune",
    )
