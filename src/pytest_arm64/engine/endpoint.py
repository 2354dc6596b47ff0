"""The engine that ``DOCKER_HOST`` or the current Docker context names."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..errors import EngineError
from .address import DEFAULT_SOCKET, Address, engine_address, podman_socket, unusable
from .patience import PING_SECONDS, Patience
from .ssh import forwarded
from .sweep import sweep, this_process
from .watcher import watching

if TYPE_CHECKING:
    from docker import DockerClient

MINIMUM_API = (1, 41)
_LONGEST_SECONDS = 3600
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
    rootless: bool = False
    """Whether root in a container is this user: then only root there may write what is ours."""
    podman: bool = False
    local: bool = False
    """Whether the kernel under it is this machine's."""
    clock_ahead: float = 0.0
    """Seconds by which the engine's clock is ahead of this machine's."""
    patience: Patience = field(default_factory=lambda: Patience(lambda: None), repr=False)
    session: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def labels(self) -> dict[str, str]:
        """What tells this session's containers from others', and whose they are."""
        return {f"{LABEL}.session": self.session, f"{LABEL}.host": this_process()}


@contextmanager
def open_engine(environ: Mapping[str, str] = os.environ) -> Iterator[Engine]:
    """Connect, check, and remove every container of this session at the end, however it comes.

    Raises:
        EngineError: no engine answers, it refuses us, it is too old, or runs no Linux.
    """
    address = engine_address(environ)
    with ExitStack() as resources:
        socket, forward = address.socket, None
        if address.host.startswith("ssh://"):
            forward = resources.enter_context(forwarded(address.host))
            socket = forward.socket
        host = f"unix://{forward.socket}" if forward else address.host
        client, patience = resources.enter_context(_connected(address, host))
        engine = _describe(client, patience, address)
        label = f"{LABEL}.session={engine.session}"
        hold = forward.hold if forward else None
        resources.enter_context(watching(socket, label, hold, lambda: not patience.lost))
        resources.callback(_remove_containers, engine)
        sweep(client)
        yield engine


def _remove_containers(engine: Engine) -> None:
    """Remove what is still there; on every orderly way out there should be nothing."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    with contextlib.suppress(DockerException, RequestException, OSError):
        label = f"{LABEL}.session={engine.session}"
        for container in engine.client.api.containers(all=True, filters={"label": label}):
            engine.client.api.remove_container(container["Id"], force=True, v=True)


@contextmanager
def _connected(address: Address, host: str) -> Iterator[tuple[DockerClient, Patience]]:
    """A client that waits for each answer as long as the engine answers a second one's pings."""
    from docker.errors import DockerException, InvalidVersion

    import docker

    class Client(docker.APIClient):
        patience: Patience | None = None

        def request(self, *arguments: Any, **more: Any) -> Any:
            # Else REQUESTS_CA_BUNDLE would go before the certificate of the engine's own.
            more.setdefault("verify", self.verify)
            if self.patience is None:
                return super().request(*arguments, **more)
            return self.patience.wait_for(lambda: super(Client, self).request(*arguments, **more))

    def client(seconds: int, version: str) -> Client:
        return Client(
            base_url=host or None, tls=address.tls or False, timeout=seconds, version=version
        )

    try:
        second = client(PING_SECONDS, "auto")
    except InvalidVersion:
        raise _too_old("the oldest that there is") from None
    except ValueError as error:
        raise unusable(address.host, error) from None
    except DockerException as error:
        raise _absent(address, error) from None
    with closing(second), closing(client(_LONGEST_SECONDS, second.api_version)) as first:
        first.patience = Patience(second.ping)
        facade = docker.DockerClient(base_url=host or None, version=second.api_version)
        facade.api = first
        yield facade, first.patience


def _absent(address: Address, error: Exception) -> EngineError:
    if "Permission denied" in str(error):
        return EngineError(
            f"the engine at {address} refuses this user: permission denied",
            why="tests can only run on ARM64 inside a container",
            next_step="add the user to the group 'docker' and log in again, "
            "or use a rootless engine",
        )
    if "SSLError" in str(error) or "CERTIFICATE_VERIFY_FAILED" in str(error):
        return unusable(address.host, "its certificate and ours do not fit together")
    next_step = _SETUP
    if address.host.startswith("ssh://"):
        next_step = "look on that machine whether the engine runs: docker version"
    elif address.socket == DEFAULT_SOCKET and podman_socket():
        next_step = f"use Podman, whose socket is here: export DOCKER_HOST=unix://{podman_socket()}"
    return EngineError(
        f"no container engine answers at {address}",
        why="tests can only run on ARM64 inside a container",
        next_step=next_step,
    )


def _too_old(api: str) -> EngineError:
    return EngineError(
        f"the engine's API is {api}, older than {'.'.join(map(str, MINIMUM_API))}",
        why="older engines cannot run a container for another platform than their own",
        next_step="use Docker Engine 20.10 or newer",
    )


def _describe(client: DockerClient, patience: Patience, address: Address) -> Engine:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        version = client.version()
        info = client.info()
    except (DockerException, RequestException, OSError) as error:
        raise _absent(address, error) from None
    told = str(version.get("ApiVersion", "unknown"))
    numbers = re.match(r"(\d+)\.(\d+)", told)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM_API:
        raise _too_old(told)
    if info.get("OSType", "linux") != "linux":
        raise EngineError(
            f"the engine at {address} runs {info['OSType']} containers",
            why="Graviton runs Linux, and so do the tests",
            next_step="switch Docker Desktop to Linux containers",
        )
    machine = info.get("Architecture", "")
    return Engine(
        client=client,
        machine=_MACHINES.get(machine, machine),
        version=version.get("Version", ""),
        has_init=bool(info.get("InitBinary")),
        rootless=info.get("Rootless") is True
        or "name=rootless" in (info.get("SecurityOptions") or ()),
        podman=any("podman" in str(c).lower() for c in version.get("Components") or ()),
        local=bool(address.socket) and info.get("KernelVersion") == platform.release(),
        clock_ahead=_ahead(info.get("SystemTime")),
        patience=patience,
    )


def _ahead(moment: object) -> float:
    """Seconds from now to *moment*, 0 where that is no time."""
    if not isinstance(moment, str):
        return 0.0
    # Go writes nanoseconds, and Python before 3.11 knows neither those nor "Z".
    plain = re.sub(r"\.\d+", "", moment).replace("Z", "+00:00")
    try:
        return (datetime.fromisoformat(plain) - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
