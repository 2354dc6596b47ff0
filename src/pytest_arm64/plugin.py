"""pytest's hooks: options and markers always, everything else only with ``--arm64``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from .inside.boundary import MARKER
from .inside.fixtures.golden import GoldenSummary, arm64_golden
from .inside.fixtures.measure import arm64_measure, judge_budgets
from .inside.fixtures.records import arm64_abi, arm64_install
from .inside.fixtures.target import arm64_target
from .inside.options import OPTIONS
from .options import add_options
from .report.measurements import MeasureSummary

if TYPE_CHECKING:
    from .inside.function.arm_lambda import ArmLambda
    from .inside.matrix_rows import Rows
    from .run.host import HostPlugin
    from .run.marked import MarkedPlugin

__all__ = ["arm64_abi", "arm64_golden", "arm64_install", "arm64_measure", "arm64_target"]


_LIKE_OURS = ("--arm", "--amr", "--amd")
"""How options of ours begin, and words that may be misspelt ones."""


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
        from .run.project_code import keep_project_out

        keep_project_out(early_config, parser, args)
    elif any(word.startswith(_LIKE_OURS) for word in args):
        from .run.root_by_value import refuse_root_by_value
        from .run.usage import as_usage_error, hint_at_misspelt

        hint_at_misspelt(parser, args)
        with as_usage_error():
            refuse_root_by_value(early_config, os.environ)
    yield


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.option.arm64:
        from .run.project_code import leave_to_inside

        leave_to_inside(config)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "arm64: belongs to the ARM64 run")
    config.addinivalue_line("markers", MARKER)
    config.pluginmanager.register(GoldenSummary(), "arm64-golden-summary")
    judge_budgets(config)
    summary = MeasureSummary()
    config.pluginmanager.register(summary, "arm64-measure-summary")
    if config.option.help or hasattr(config, "workerinput"):
        return
    if any(getattr(config.option, option.dest) for option in OPTIONS):
        _register(config, summary)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """The last line: whatever kept our plugin out, no test runs on the host with ``--arm64``."""
    config = session.config
    if config.option.arm64 and not config.pluginmanager.hasplugin("arm64-host"):
        raise pytest.UsageError("--arm64: the plugin that runs the tests elsewhere is missing")


def _register(config: pytest.Config, summary: MeasureSummary) -> None:
    """Register what the given options are obeyed by; refuse what cannot be obeyed."""
    from .run.usage import (
        as_usage_error,
        refuse_blocked,
        refuse_excluded,
        refuse_without_mode,
        report_folder,
    )

    with as_usage_error():
        refuse_excluded(config)
        refuse_without_mode(config)
        refuse_blocked(config)
        folder = report_folder(config) if config.option.arm64 else None
    if config.option.arm64:
        from .config.project_files import repository_root
        from .run.asked_early import ask_early
        from .run.usage import missing_path

        missing = missing_path(config, repository_root(config.rootpath))
        if not missing:
            ask_early(config)  # what follows is loaded meanwhile
        from .mirror.signals import raise_terminated
        from .run.host import HostPlugin
        from .run.junit_file import JunitFile
        from .run.later_changes import later_changes
        from .run.measurements import HostMeasurements
        from .run.recorder import Recorder

        with as_usage_error():
            host = HostPlugin(config, missing)
        config.pluginmanager.register(Recorder(config, host, folder), "arm64-recorder")
        config.pluginmanager.register(host, "arm64-host")
        with as_usage_error():
            config.pluginmanager.register(JunitFile(config, host), "arm64-junit-file")
            config.pluginmanager.register(later_changes(config), "arm64-later-changes")
        _keep(config, host)
        if config.option.arm64_compare or config.option.arm64_record:
            from .run.reference import ReferenceSide

            config.pluginmanager.register(ReferenceSide(config), "arm64-reference")
        if config.option.arm64_try:
            from .run.trial import NAME, TrialPlugin

            config.pluginmanager.register(TrialPlugin(config, host), NAME)
        measurements = HostMeasurements(summary, folder)
        config.pluginmanager.register(measurements, "arm64-measurements")
        if config.option.arm64_profile:
            from .run.profiles import HostProfiles

            profiles = HostProfiles(folder)
            config.pluginmanager.register(profiles, "arm64-profiles")
        config.add_cleanup(raise_terminated())
    elif config.option.arm64_marked:
        from .mirror.signals import raise_terminated
        from .run.marked import MarkedPlugin

        config.add_cleanup(raise_terminated())
        marked = MarkedPlugin(config)
        config.pluginmanager.register(marked, "arm64-marked")
        _keep(config, marked)


def _keep(config: pytest.Config, shows: HostPlugin | MarkedPlugin) -> None:
    if config.option.arm64_keep or getattr(config.option, "usepdb", False):
        from .run.keep import Keeper

        config.pluginmanager.register(Keeper(config, lambda: shows.held), "arm64-keep")


@pytest.fixture(scope="session")
def arm64_matrix(pytestconfig: pytest.Config) -> Rows:
    """The wheel matrix of what is deployed, by package name; here, from kept index pages."""
    from .decide.kept_rows import matrix_here

    return matrix_here(pytestconfig.rootpath)


@pytest.fixture
def arm64_lambda(request: pytest.FixtureRequest) -> Iterator[ArmLambda]:
    """Calls the Lambda function of the service: ``arm64_lambda.invoke(event)``."""
    from .errors import Arm64Error
    from .inside.fixtures.function import function_of
    from .run.function_record import function_here

    try:
        record = function_here(request.config.rootpath, request.path)
    except Arm64Error as error:
        pytest.fail(f"arm64_lambda: {error}", pytrace=False)
    with function_of(record, request) as function:
        yield function
