"""pytest's hooks: options and markers always, everything else only with ``--arm64``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest

from .inside.boundary import MARKER
from .options import add_options

if TYPE_CHECKING:
    from .inside.matrix import Rows


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    from . import hooks

    pluginmanager.add_hookspecs(hooks)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    if early_config.known_args_namespace.arm64:
        from .run.host import keep_project_out

        keep_project_out(early_config, parser, args)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.option.arm64:
        from .run.host import keep_workers_out

        keep_workers_out(config)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "arm64: belongs to the ARM64 run")
    config.addinivalue_line("markers", MARKER)
    if config.option.arm64 and not config.option.help:
        from .run.host import HostPlugin

        host = HostPlugin(config)
        config.pluginmanager.register(host, "arm64-host")
        if config.option.arm64_report:
            from .run.recorder import Recorder

            config.pluginmanager.register(Recorder(config, host), "arm64-report")
    elif config.option.arm64_report and not config.option.help:
        raise pytest.UsageError("--arm64-report tells of a run with --arm64: give both")


@pytest.fixture(scope="session")
def arm64_target() -> Mapping[str, Any]:
    """Facts of the cell that the tests run in; here, of this machine, in no target."""
    import os
    import platform

    from .cell import FACTS

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
