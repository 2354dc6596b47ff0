"""What every Linux machine has, and tests take for granted, is in the container too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from docker_cases import RunPytest

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
