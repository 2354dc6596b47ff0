"""Containers have ``::1``, as machines have, whatever the engine does of its own accord."""

from __future__ import annotations

from typing import Any, cast

import pytest
from docker.errors import APIError

from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine
from pytest_arm64.errors import EngineError

LOOPBACK = {"net.ipv6.conf.lo.disable_ipv6": "0"}
WITHOUT = "open /proc/sys/net/ipv6/conf/lo/disable_ipv6: no such file or directory: unknown"


class Client:
    """An engine's client that keeps what was asked of it, and fails as *failures* say."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.asked: list[dict[str, str]] = []
        self.removed = 0
        self.containers = self

    def create(self, image: str, sysctls: dict[str, str], **_: Any) -> Client:
        self.asked.append(sysctls)
        return self

    def start(self) -> None:
        if self.failures:
            raise APIError(self.failures.pop(0))

    def remove(self, **_: Any) -> None:
        self.removed += 1


def start(client: Client, version: str, network: str, *, podman: bool = False) -> None:
    plan = Plan("image", "linux/arm64", network=network, kept_as="kept")
    engine = Engine(cast("Any", client), "x86_64", version, has_init=True, podman=podman)
    Container(engine, plan).start()


@pytest.mark.parametrize("network", ["none", "bridge", "some-network"])
@pytest.mark.parametrize("version", ["20.10.24+dfsg1", "25.0.6"])
def test_engines_that_take_it_away_are_asked_for_it(version: str, network: str) -> None:
    client = Client()
    start(client, version, network)
    assert client.asked == [LOOPBACK]


@pytest.mark.parametrize(
    ("version", "network", "podman"),
    [
        ("26.0.0", "bridge", False),
        ("29.1.3", "none", False),
        ("4.3.1", "bridge", True),
        ("20.10.24", "host", False),
        ("20.10.24", "container:other", False),
        ("unknown", "bridge", False),
    ],
)
def test_others_are_not_and_neither_is_a_network_that_is_shared(
    version: str, network: str, podman: bool
) -> None:
    client = Client()
    start(client, version, network, podman=podman)
    assert client.asked == [{}]


def test_a_kernel_without_it_starts_containers_without_it() -> None:
    client = Client(f"OCI runtime create failed: {WITHOUT}")
    start(client, "20.10.24", "bridge")
    assert client.asked == [LOOPBACK, {}]
    assert client.removed == 1


def test_another_failure_is_not_tried_again() -> None:
    client = Client("no space left on device")
    with pytest.raises(EngineError, match="no space left"):
        start(client, "20.10.24", "bridge")
    assert client.asked == [LOOPBACK]
    assert client.removed == 1
