"""pytest's hooks: options and markers always, everything else only with ``--arm64``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from .inside.records import arm64_abi, arm64_install
from .options import add_options

if TYPE_CHECKING:
    from .inside.matrix import Rows

__all__ = ["arm64_abi", "arm64_install", "arm64_target"]


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hooks

    pluginmanager.add_hookspecs(hooks)


# A wrapper, so that it comes before every plugin that begins to work here, as pytest-cov does.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Iterator[None]:
    if early_config.known_args_namespace.arm64:
        from .run.host import keep_project_out

        keep_project_out(early_config, parser, args)
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.option.arm64:
        from .run.host import keep_workers_out

        keep_workers_out(config)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "arm64: belongs to the ARM64 run")
    if config.option.help or hasattr(config, "workerinput"):
        return
    if config.option.arm64:
        from .run.host import HostPlugin

        config.pluginmanager.register(HostPlugin(config), "arm64-host")
    elif config.option.arm64_marked:
        from .run.marked import MarkedPlugin

        config.pluginmanager.register(MarkedPlugin(config), "arm64-marked")


@pytest.fixture(scope="session")
def arm64_target(pytestconfig: pytest.Config) -> Mapping[str, Any]:
    """Facts of the cell that the tests run in; here, of this machine, in no target.

    With ``--arm64-marked`` they are those of the cell on both sides.
    """
    import os
    import platform

    from .cell import FACTS

    marked: Any = pytestconfig.pluginmanager.getplugin("arm64-marked")
    if marked is not None and marked.facts is not None:
        return MappingProxyType(dict(marked.facts))
    facts: dict[str, Any] = dict.fromkeys(FACTS)
    facts |= {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "page_size": os.sysconf("SC_PAGE_SIZE"),
    }
    return MappingProxyType(facts)


@pytest.fixture(scope="session")
def arm64_matrix(pytestconfig: pytest.Config) -> Rows:
    """The wheel matrix of what is deployed, by package name; here, from kept index pages."""
    from .fixtures.matrix import matrix_here

    return matrix_here(pytestconfig.rootpath)
