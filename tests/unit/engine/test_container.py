"""What fails in a container, in words: the engine's own, and those of this machine's disk."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest
import urllib3
from requests.exceptions import ConnectionError as RequestsConnectionError

from pytest_arm64.engine.container import engine_errors
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
