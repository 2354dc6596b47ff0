"""Options, markers and fixtures of pytest-arm64 as they are inside a cell."""

from __future__ import annotations

import json
import os
import platform
from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from .boundary import MARKER, keep_off_arm
from .boundary_selection import records_here
from .fixtures.function import arm64_lambda
from .fixtures.golden import arm64_golden
from .fixtures.measure import arm64_measure, judge_budgets
from .fixtures.records import (
    arm64_abi,
    arm64_install,
)
from .fixtures.target import arm64_target
from .matrix_rows import MatrixData, Rows
from .options import OPTIONS, Kind
from .pytest_internals import use_pytests_name
from .rewritten import Observer

__all__ = [
    "arm64_abi",
    "arm64_golden",
    "arm64_install",
    "arm64_lambda",
    "arm64_measure",
    "arm64_target",
]

# Values of options that are the host's alone, wherever they were given.
HOST_WRITES = ("pastebin", "report_log")
SOURCE = "PYTEST_ARM64_SOURCE"
"""JSON list: folders of the project and its siblings that are installed as wheels."""
MARKED = "PYTEST_ARM64_MARKED"
"""Set where only the tests that are marked are to run here."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.set_blocked("arm64")  # the host's half, where it is installed here too
    use_pytests_name(parser)
    group = parser.getgroup("arm64", "running on ARM64")
    # They reach this session through ``addopts``; the host has checked their values.
    for option in OPTIONS:
        action = "store_true" if option.kind is Kind.FLAG else "append"
        group.addoption(option.name, action=action, help="(for the host)")


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    options = early_config.known_args_namespace
    if getattr(options, "cov_source", None):
        _be_third_party()  # before pytest-cov begins to measure, which is here
        if MARKED in os.environ:  # the host's pytest-cov merges the data, and reports
            options.cov_report, options.cov_fail_under = {"": ""}, 0
    yield
    if SOURCE in os.environ:
        sources = json.loads(os.environ[SOURCE])
        _map_to_source(early_config.pluginmanager.getplugin("_cov"), sources)


def _map_to_source(cov: object, sources: list[str]) -> None:
    """Have what was measured in installed projects told of their sources, where these exist."""
    import sysconfig

    combining = getattr(getattr(cov, "cov_controller", None), "combining_cov", None)
    if combining is not None:
        installed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
        folders = [path for source in sources for path in (os.path.join(source, "src"), source)]
        paths = {f"arm64-{n}": [folder, *installed] for n, folder in enumerate(folders)}
        combining.set_option("paths", paths | (combining.get_option("paths") or {}))


def _be_third_party() -> None:
    """Have coverage leave this package out, as it leaves out what is installed."""
    from coverage import inorout

    for name in ("_add_third_party_paths", "add_third_party_paths"):  # in newer and older versions
        add = getattr(inorout, name, None)
        if add is not None:
            setattr(inorout, name, _and_ours(add))


def _and_ours(add: Callable[[set[str]], None]) -> Callable[[set[str]], None]:
    def call(paths: set[str]) -> None:
        add(paths)
        paths.add(os.path.dirname(os.path.abspath(__file__)))

    return call


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    for name in HOST_WRITES:
        if hasattr(config.option, name):
            setattr(config.option, name, None)
    seed = os.environ.get("PYTEST_ARM64_SEED")
    if seed is not None:
        _roll_the_same(config.option, int(seed))
    config.addinivalue_line("markers", "arm64: belongs to the ARM64 run")
    config.addinivalue_line("markers", MARKER)
    judge_budgets(config)
    config.pluginmanager.register(Observer(), "arm64-observer")
    if config.option.arm64_profile:
        from .fixtures.profile import Profiled

        config.pluginmanager.register(Profiled(config.rootpath), "arm64-profiled")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("x86_boundary"):
        facts = json.loads(os.environ["PYTEST_ARM64_FACTS"])
        keep_off_arm(item, str(facts.get("machine") or platform.machine()))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if MARKED in os.environ:
        items[:] = [item for item in items if item.get_closest_marker("arm64")]


def _roll_the_same(option: Namespace, seed: int) -> None:
    """Seeds of pytest-randomly and Hypothesis, where the user gave none."""
    if getattr(option, "randomly_seed", None) == "default":
        option.randomly_seed = seed
    if getattr(option, "hypothesis_seed", "") is None:
        option.hypothesis_seed = str(seed)


@pytest.fixture(scope="session")
def arm64_matrix() -> Rows:
    """The wheel matrix of what is deployed, by package name."""
    matrices = cast("list[MatrixData]", records_here().get("matrices", []))
    if not matrices:
        pytest.skip("no wheel matrix: no file lists what is deployed, or it could not be read")
    return Rows(matrices[0])
