"""Options, markers and fixtures of pytest-arm64 as they are inside a cell."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from _pytest import config as config_module

from .boundary import MARKER, keep_off_arm
from .matrix import Rows

# The host's options, which reach this session through ``addopts``; they mean nothing here.
FLAGS = ("--arm64", "--arm64-refresh", "--arm64-offline", "--arm64-require-native")
VALUES = (
    *("--arm64-target", "--arm64-image", "--arm64-requirements", "--arm64-cpu", "--arm64-gate"),
    "--arm64-report",
)


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.set_blocked("arm64")  # the host's half, where it is installed here too
    if hasattr(config_module, "_get_prog_name"):
        parser.prog = config_module._get_prog_name(sys.argv)
    group = parser.getgroup("arm64", "running on ARM64")
    for name in FLAGS:
        group.addoption(name, action="store_true", help="(for the host)")
    for name in VALUES:
        group.addoption(name, action="append", help="(for the host)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "arm64: belongs to the ARM64 run")
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    facts = json.loads(os.environ["PYTEST_ARM64_FACTS"])
    keep_off_arm(item, str(facts.get("machine") or platform.machine()))


@pytest.fixture(scope="session")
def arm64_target() -> Mapping[str, Any]:
    """Facts of the cell: target, machine, core, emulated or not, stand-in or not, versions."""
    return MappingProxyType(json.loads(os.environ["PYTEST_ARM64_FACTS"]))


@pytest.fixture(scope="session")
def arm64_matrix() -> Rows:
    """The wheel matrix of what is deployed, by package name."""
    with open(os.environ["PYTEST_ARM64_TASK"], encoding="utf-8") as stream:
        matrices = json.load(stream)["records"].get("matrices", [])
    if not matrices:
        pytest.skip("no wheel matrix: no file says what is deployed, or it could not be read")
    return Rows(matrices[0])
