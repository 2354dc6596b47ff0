"""Keeps the project's code, and workers, out of this process: both belong inside."""

from __future__ import annotations

import pytest

from ..mirror.pytest_internals import accept_ini_keys, forget_warning_filters
from ..mirror.shown_inside import NAME, ShownInside
from .arguments import unknown_here
from .usage import UNJUDGED, as_usage_error, refuse_misspelt, unjudged


def keep_project_out(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """No conftest is loaded here, and what only a conftest or an inner plugin knows is no error.

    The session inside gets every argument as the user typed it.
    """
    config.pluginmanager.register(ShownInside(), NAME)
    config.known_args_namespace.noconftest = True
    # What is filtered is filtered where it is raised; categories need not be known here.
    forget_warning_filters(config)
    config.known_args_namespace.strict_config = False
    # pytest-cov would start to measure this process and overwrite what its twin inside writes.
    config.known_args_namespace.cov_source = None
    _, unknown = parser.parse_known_and_unknown_args(list(args))
    with as_usage_error():
        refuse_misspelt(unknown)
    config.stash[UNJUDGED] = unjudged(args, unknown)
    unknown_here(args, unknown)
    accept_ini_keys(config, parser)


def keep_workers_out(config: pytest.Config) -> None:
    """``-n`` is for the pytest-xdist inside: this process distributes nothing."""
    config.option.pythonwarnings = None
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []
