"""What fails on the way to the engine, in words: its own faults, and those of our disk."""

from __future__ import annotations

import errno
import http.client
from typing import TYPE_CHECKING

import pytest
import urllib3
from requests.exceptions import ConnectionError as RequestsConnectionError

from pytest_arm64.engine.failures import engine_errors, local_errors
from pytest_arm64.errors import EngineError, SpaceError

if TYPE_CHECKING:
    from collections.abc import Callable


def aborted(reason: Exception) -> Exception:
    """As it arrives: one library's error in another's in a third's."""
    return RequestsConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", reason))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: http.client.RemoteDisconnected("no response"), "ended the connection without"),
        (lambda: ConnectionResetError(104, "reset by peer"), "ended the connection without"),
        (lambda: BrokenPipeError(32, "Broken pipe"), "ended the connection without"),
        (lambda: FileNotFoundError(2, "No such file"), "is not there any more"),
        (lambda: ConnectionRefusedError(111, "refused"), "is not there any more"),
    ],
)
def test_a_connection_that_is_lost(make: Callable[[], Exception], says: str) -> None:
    with pytest.raises(EngineError) as caught, engine_errors("it could not be started"):
        raise aborted(make())
    assert caught.value.what.startswith("it could not be started: the engine ")
    assert says in caught.value.what
    assert "(" not in caught.value.what
    assert "docker version" in caught.value.next_step


def test_an_error_of_ours_stays_what_it_is() -> None:
    with pytest.raises(SpaceError, match="full"), engine_errors("it could not be read"):
        raise SpaceError("full")


def test_a_full_disk_of_this_machine_is_not_the_engines_fault() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(SpaceError) as caught, engine_errors("it failed"), local_errors("/out"):
        raise full
    assert caught.value.what.startswith("/out of the container could not be written to ")
    assert "No space left on device" in caught.value.what
    assert "TMPDIR" in caught.value.next_step
