"""The engine that ``DOCKER_HOST`` or the current Docker context names."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import EngineError
from .address import DEFAULT_SOCKET, Address, engine_address, podman_socket, unusable
from .clock import ahead
from .leftovers import sweep, this_process
from .patience import PING_SECONDS, Patience
from .ssh import forwarded
from .watcher import watching

if TYPE_CHECKING:
    from docker import DockerClient

MINIMUM_API = (1, 41)
_LONGEST_SECONDS = 3600
_STUCK_SECONDS = 120.0
# What an engine does in a moment, unless it waits for the lock of a container for ever.
_QUICK = re.compile(r"/(containers/(create|[^/]+(/(exec|json|kill|start))?)|exec/[^/]+/\w+)(\?|$)")
MEMORY_PERCENT = 90
"""Of the engine's machine, for one container: it must not take the rest of the machine along."""
# For the one question that needs no version.
_ANY_VERSION = "1.41"
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
    memory: int = 0
    """Bytes that all processes of a container may use; 0 where the engine limits nothing."""
    processors: int = 0
    """How many it has; 0 where it cannot limit a container to some of them."""
    clock_ahead: float = 0.0
    """Seconds by which the engine's clock is ahead of this machine's."""
    patience: Patience = field(default_factory=lambda: Patience(lambda: None), repr=False)
    session: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def labels(self) -> dict[str, str]:
        """What tells this session's containers from others', and whose they are."""
        return {f"{LABEL}.session": self.session, f"{LABEL}.host": this_process()}

    @property
    def removes_loopback6(self) -> bool:
        """Whether a container without an IPv6 network has no ``::1``.

        Docker before 26 takes it away (moby/moby#47062, docker/for-mac#7269, read 2026-11-30).
        """
        major = re.match(r"\d+", self.version)
        return major is not None and int(major[0]) < 26 and not self.podman


@contextmanager
def open_engine(environ: Mapping[str, str] = os.environ) -> Iterator[Engine]:
    """Connect, check, and remove every container of this session at the end, however it comes.

    Raises:
        EngineError: no engine answers, it refuses us, it is too old, or runs no Linux.
    """
    address = engine_address(environ)
    with ExitStack() as resources:
        path, forward = address.socket, None
        if address.host.startswith("ssh://"):
            forward = resources.enter_context(forwarded(address.host))
            path = forward.socket
        host = f"unix://{forward.socket}" if forward else address.host
        _knock(address, path)
        client, version, patience = resources.enter_context(_connected(address, host))
        engine = _describe(client, version, patience, address)
        label = f"{LABEL}.session={engine.session}"
        hold = forward.hold if forward else None
        if path:
            resources.enter_context(watching(path, label, hold, lambda: _any_left(engine)))
        else:
            resources.callback(_remove_containers, engine)
        sweep(client)
        yield engine


def _containers(engine: Engine) -> list[str]:
    """Ids of the containers of this session that are there."""
    label = f"{LABEL}.session={engine.session}"
    listed = engine.client.api.containers(all=True, filters={"label": label})
    return [str(container["Id"]) for container in listed]


def _any_left(engine: Engine) -> bool:
    """Whether there may still be some, as those that are just ending."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        return bool(_containers(engine))
    except (DockerException, RequestException, OSError):
        return True


def _remove_containers(engine: Engine) -> None:
    """Remove what is still there, on an orderly way out nothing but what is just ending."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    with contextlib.suppress(DockerException, RequestException, OSError):
        for name in _containers(engine):
            engine.client.api.remove_container(name, force=True, v=True)


def _knock(address: Address, path: str) -> None:
    """Connect once by ourselves: docker-py forgets to close what it could not connect."""
    if not path:
        return
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as knocking:
        try:
            knocking.settimeout(PING_SECONDS)
            knocking.connect(path)
        except OSError as error:
            raise _absent(address, error) from None


@contextmanager
def _connected(
    address: Address, host: str
) -> Iterator[tuple[DockerClient, Mapping[str, Any], Patience]]:
    """A client that waits for each answer as long as the engine answers a second one's pings."""
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    import docker

    class Client(docker.APIClient):
        patience: Patience | None = None

        def request(self, method: Any, url: Any, *arguments: Any, **more: Any) -> Any:
            # Else REQUESTS_CA_BUNDLE would go before the certificate of the engine's own.
            more.setdefault("verify", self.verify)
            if self.patience is None:
                return super().request(method, url, *arguments, **more)
            return self.patience.wait_for(
                lambda: super(Client, self).request(method, url, *arguments, **more),
                _STUCK_SECONDS if _QUICK.search(str(url)) else math.inf,
            )

    def client(seconds: int, version: str) -> Client:
        try:
            return Client(
                base_url=host or None, tls=address.tls or False, timeout=seconds, version=version
            )
        except (DockerException, ValueError) as error:
            raise unusable(address.host, error) from None

    with closing(client(PING_SECONDS, _ANY_VERSION)) as asking:
        try:
            version_facts = asking.version(api_version=False)
        except (DockerException, RequestException, OSError, ValueError) as error:
            raise _absent(address, error) from None
    version = _checked(address, version_facts)
    with (
        closing(client(PING_SECONDS, version)) as second,
        closing(client(_LONGEST_SECONDS, version)) as first,
    ):
        first.patience = Patience(second.ping)
        facade = docker.DockerClient(base_url=host or None, version=version)
        facade.api = first
        yield facade, version_facts, first.patience


def _checked(address: Address, version_facts: Any) -> str:
    """The engine's version of the API."""
    version = str(version_facts.get("ApiVersion", "")) if isinstance(version_facts, dict) else ""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    if numbers is None or (int(numbers[1]), int(numbers[2])) < MINIMUM_API:
        raise _too_old(address, version or "unknown")
    return version


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


def _too_old(address: Address, api: str) -> EngineError:
    oldest = ".".join(map(str, MINIMUM_API))
    return EngineError(
        f"the API of the engine at {address} is {api}, older than {oldest}",
        why="older engines cannot run a container for another platform than their own",
        next_step="use Docker Engine 20.10 or newer",
    )


def _describe(
    client: DockerClient, version: Mapping[str, Any], patience: Patience, address: Address
) -> Engine:
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    try:
        info = client.info()
    except (DockerException, RequestException, OSError) as error:
        raise _absent(address, error) from None
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
        memory=_memory(info),
        processors=_processors(info),
        clock_ahead=ahead(info.get("SystemTime")),
        patience=patience,
    )


def _memory(info: Mapping[str, Any]) -> int:
    total = info.get("MemTotal")
    if info.get("MemoryLimit") is not True or not isinstance(total, int):
        return 0
    return total * MEMORY_PERCENT // 100


def _processors(info: Mapping[str, Any]) -> int:
    number = info.get("NCPU")
    return number if info.get("CpuCfsQuota") is True and isinstance(number, int) else 0
