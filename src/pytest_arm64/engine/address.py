"""Where the engine is: what ``DOCKER_HOST`` says, else the current Docker context."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EngineError

if TYPE_CHECKING:
    from docker.tls import TLSConfig

DEFAULT_SOCKET = "/var/run/docker.sock"
_UNIX = ("unix://", "http+unix://")


@dataclass(frozen=True)
class Address:
    """One engine's address, and the certificates that lead to it."""

    host: str
    """``unix://…``, ``tcp://…`` or ``ssh://…``; empty for the platform's own default."""
    tls: TLSConfig | None = field(default=None, repr=False)

    @property
    def socket(self) -> str:
        """Path of the Unix socket, empty where it is none."""
        host = self.host or f"unix://{DEFAULT_SOCKET}"
        for scheme in _UNIX:
            if host.startswith(scheme):
                return "/" + host.removeprefix(scheme).lstrip("/")
        return ""

    def __str__(self) -> str:
        return self.host or "the default socket"


def engine_address(environ: Mapping[str, str]) -> Address:
    """The address in *environ*, else that of the current context.

    Raises:
        EngineError: the variables or the context cannot be used.
    """
    from docker.errors import TLSParameterError
    from docker.utils import kwargs_from_env

    host = environ.get("DOCKER_HOST")
    if not host:
        return _of_context(environ.get("DOCKER_CONTEXT") or None)
    try:
        tls = kwargs_from_env(dict(environ)).get("tls")
    except TLSParameterError as error:
        raise unusable(host, error) from None
    return Address(host, tls if host.startswith("tcp://") else None)


def unusable(host: str, reason: object) -> EngineError:
    """The error for an address that leads nowhere by its form or its certificates."""
    return EngineError(
        f"the engine's address {host} cannot be used: {reason}",
        why="tests can only run on ARM64 inside a container",
        next_step="look at DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or at the "
        "context: docker context inspect",
    )


def podman_socket() -> str:
    """Podman's socket on this machine, the user's own first; empty where there is none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    for folder in (runtime, "/run"):
        path = Path(folder, "podman", "podman.sock")
        try:
            if path.is_socket():
                return str(path)
        except OSError:
            continue
    return ""


def _of_context(name: str | None) -> Address:
    from docker.context import ContextAPI

    try:
        context = ContextAPI.get_context(name)
        host, tls = (context.Host, context.TLSConfig) if context is not None else ("", None)
    except Exception as error:  # noqa: BLE001  (docker-py raises that very class)
        raise _no_context(error) from None
    if context is None:
        raise _no_context("no context has this name")
    return Address(str(host or ""), tls)


def _no_context(reason: object) -> EngineError:
    return EngineError(
        f"the current Docker context cannot be read: {reason}",
        next_step="see: docker context ls; or name the engine in DOCKER_HOST",
    )
