"""The engine that ``DOCKER_HOST`` or the current Docker context names."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import EngineError
from .sweep import sweep, this_process
from .watcher import watching

if TYPE_CHECKING:
    from docker import DockerClient

MINIMUM_API = (1, 41)
DEFAULT_SOCKET = "/var/run/docker.sock"
LABEL = "pytest-arm64"
"""Prefix of every label, and the repository of every image, that is ours."""

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_SETUP = (
    "start an engine (Docker, or Podman's socket); on a bare Debian or Ubuntu, from a checkout of "
    'pytest-arm64: scripts/engine up; eval "$(scripts/engine env)"'
)


@dataclass(frozen=True)
class Engine:
    """A reachable engine; everything made through it carries this session's labels."""

    client: DockerClient = field(repr=False)
    machine: str
    """What ``uname -m`` says on the engine's host."""
    version: str
    has_init: bool
    session: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def labels(self) -> dict[str, str]:
        """What tells this session's containers from others', and whose they are."""
        return {f"{LABEL}.session": self.session, f"{LABEL}.host": this_process()}


@contextmanager
def open_engine(environ: Mapping[str, str] = os.environ) -> Iterator[Engine]:
    """Connect, check, and remove every container of this session at the end, however it comes.

    Raises:
        EngineError: no engine answers, it refuses us, or it is too old.
    """
    host = environ.get("DOCKER_HOST") or _context_host(environ)
    client = _connect(host, environ)
    try:
        engine = _describe(client, host)
        with watching(unix_socket(host), f"{LABEL}.session={engine.session}"):
            try:
                sweep(client)
                yield engine
            finally:
                _remove_containers(engine)
    finally:
        client.close()


def _remove_containers(engine: Engine) -> None:
    """Remove what is still there; on every orderly way out there should be nothing."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    with contextlib.suppress(DockerException, RequestException, OSError):
        label = f"{LABEL}.session={engine.session}"
        for container in engine.client.api.containers(all=True, filters={"label": label}):
            engine.client.api.remove_container(container["Id"], force=True, v=True)


def unix_socket(host: str | None) -> str:
    """Path of the socket that *host* names, empty where it is no Unix socket."""
    host = host or f"unix://{DEFAULT_SOCKET}"
    for scheme in ("unix://", "http+unix://"):
        if host.startswith(scheme):
            return "/" + host.removeprefix(scheme).lstrip("/")
    return ""


def _connect(host: str | None, environ: Mapping[str, str]) -> DockerClient:
    from docker.errors import DockerException, InvalidVersion, TLSParameterError

    import docker

    if host and host.startswith("ssh://"):
        raise EngineError(
            f"the engine is at {host}, and ssh:// is not supported yet",
            next_step="forward the socket yourself: ssh -nNT -L /tmp/remote.sock:"
            "/var/run/docker.sock HOST, then DOCKER_HOST=unix:///tmp/remote.sock",
        )
    try:
        if environ.get("DOCKER_HOST"):
            return docker.from_env(environment=dict(environ), timeout=120)
        return docker.DockerClient(base_url=host, timeout=120, version="auto")
    except (TLSParameterError, ValueError) as error:
        raise EngineError(
            f"the engine's address {host or ''} cannot be used: {error}",
            why="tests can only run on ARM64 inside a container",
            next_step="look at DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH",
        ) from None
    except InvalidVersion:
        raise _too_old("the oldest that there is") from None
    except DockerException as error:
        raise _absent(host, error) from None


def _absent(host: str | None, error: Exception) -> EngineError:
    where = host or "the default socket"
    if "Permission denied" in str(error):
        return EngineError(
            f"the engine at {where} refuses this user: permission denied",
            why="tests can only run on ARM64 inside a container",
            next_step="add the user to the group 'docker' and log in again, "
            "or use a rootless engine",
        )
    return EngineError(
        f"no container engine answers at {where}",
        why="tests can only run on ARM64 inside a container",
        next_step=_SETUP,
    )


def _too_old(api: str) -> EngineError:
    return EngineError(
        f"the engine's API is {api}, older than {'.'.join(map(str, MINIMUM_API))}",
        why="older engines cannot run a container for another platform than their own",
        next_step="use Docker Engine 20.10 or newer",
    )


def _context_host(environ: Mapping[str, str]) -> str | None:
    """Address of the current Docker context; None for the platform's default."""
    from docker.context import ContextAPI

    try:
        context = ContextAPI.get_context(environ.get("DOCKER_CONTEXT") or None)
    except Exception as error:  # noqa: BLE001  (docker-py raises that very class)
        raise _no_context(error) from None
    if context is None:
        raise _no_context("there is none of its name")
    return str(context.Host) if context.Host else None


def _no_context(reason: object) -> EngineError:
    return EngineError(
        f"the current Docker context cannot be read: {reason}",
        next_step="see: docker context ls; or name the engine in DOCKER_HOST",
    )


def _describe(client: DockerClient, host: str | None) -> Engine:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        version = client.version()
        info = client.info()
    except (DockerException, RequestException, OSError) as error:
        raise _absent(host, error) from None
    told = str(version.get("ApiVersion", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", told)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM_API:
        raise _too_old(told)
    machine = info.get("Architecture", "")
    return Engine(
        client=client,
        machine=_MACHINES.get(machine, machine),
        version=version.get("Version", ""),
        has_init=bool(info.get("InitBinary")),
    )
