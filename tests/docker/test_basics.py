"""What every Linux machine has, and tests take for granted, is in the container too."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from docker_cases import RunPytest
from pytest_arm64.engine.container import Container
from pytest_arm64.engine.container_plan import Plan
from pytest_arm64.engine.endpoint import Engine

pytestmark = pytest.mark.docker

TESTS = """
import socket
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest


def test_time_zones():
    summer = datetime(2026, 7, 1, 12, tzinfo=timezone.utc).astimezone(ZoneInfo("Europe/Berlin"))
    assert summer.utcoffset() == timedelta(hours=2)
    assert {"America/Sao_Paulo", "Asia/Kolkata", "US/Pacific", "UTC"} <= available_timezones()


@pytest.mark.parametrize(("name", "port"), [("http", 80), ("https", 443), ("ssh", 22)])
def test_services(name, port):
    assert socket.getservbyname(name, "tcp") == port
    assert socket.getservbyport(port, "tcp") == name


@pytest.mark.parametrize(("name", "number"), [("icmp", 1), ("tcp", 6), ("udp", 17)])
def test_protocols(name, number):
    assert socket.getprotobyname(name) == number


def test_ipv6_loopback():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        with socket.create_connection(server.getsockname()[:2], timeout=10) as client:
            client.sendall(b"x")
            assert server.accept()[0].recv(1) == b"x"
"""


@pytest.mark.parametrize("network", ["none", "bridge"])
def test_basics(run_pytest: RunPytest, project: Callable[..., Path], network: str) -> None:
    folder = project(test_basics=TESTS)
    (folder / "pyproject.toml").write_text(f'[tool.pytest-arm64]\nnetwork = "{network}"\n')
    result = run_pytest(folder, "--arm64")
    assert result.code == 0, result.out
    assert "8 passed" in result.out


def test_a_command_reads_all_that_is_sent_to_it(engine: Engine) -> None:
    # More than any buffer on the way, and the other end stays open.
    sent = bytes(range(256)) * 20_000
    plan = Plan(
        image=os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64"), platform="linux/arm64"
    )
    with Container(engine, plan) as container:
        command = ["sh", "-c", f"head -c {len(sent)} | sha256sum"]
        with closing(container.start_exec(command, stdin=sent)) as running:
            said = b"".join(data for _, data in running)
            assert running.code() == 0
    assert said.split()[0].decode() == hashlib.sha256(sent).hexdigest()


def test_a_command_that_reads_nothing_ends_all_the_same(engine: Engine) -> None:
    plan = Plan(
        image=os.environ["PYTEST_ARM64_IMAGE"].replace("{arch}", "arm64"), platform="linux/arm64"
    )
    with (
        Container(engine, plan) as container,
        closing(container.start_exec(["true"], stdin=bytes(100_000))) as running,
    ):
        assert b"".join(data for _, data in running) == b""
        assert running.code() == 0
