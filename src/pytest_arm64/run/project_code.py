"""Keeps the project's code, and workers, out of this process: both belong inside."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from types import ModuleType

import pytest

from ..config.project_files import repository_root
from ..isolation import Fence, keep_out
from ..mirror.pytest_internals import (
    accept_ini_keys,
    forget_python_path,
    forget_warning_filters,
)
from ..mirror.shown_inside import NAME, ShownInside
from .arguments import refuse_what_cannot_work, unknown_here
from .paths_of_addopts import refuse_paths_of_addopts
from .root_by_value import refuse_root_by_value
from .usage import UNJUDGED, as_usage_error, refuse_misspelt, unjudged


def keep_project_out(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """No conftest is loaded here, and what only a conftest or an inner plugin knows is no error.

    The session inside gets every argument as the user typed it.
    """
    with as_usage_error():
        refuse_root_by_value(config, os.environ)
        keep_code_out(config, Fence.around(repository_root(config.rootpath)))
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
        # pytest opens the file of --debug before anybody could refuse it later.
        refuse_what_cannot_work(config.known_args_namespace)
        refuse_paths_of_addopts(config, parser, os.environ)
    config.stash[UNJUDGED] = unjudged(args, unknown)
    unknown_here(args, unknown)
    accept_ini_keys(config, parser)


def keep_code_out(config: pytest.Config, fence: Fence) -> None:
    """Have neither ``pythonpath`` nor plugins that the project's files name run on the host.

    A plugin stays that the user has typed or installed. The session inside loads them all.
    """
    # pytest 7 and 8 put it on sys.path only after this, pytest 9 has done so already.
    forget_python_path(config)
    chosen = _chosen_by_user(config)
    stays = set()
    for name, plugin in config.pluginmanager.list_name_plugin():
        module = (
            plugin if isinstance(plugin, ModuleType) else sys.modules.get(type(plugin).__module__)
        )
        if plugin is None or module is None or not fence.holds_module(module):
            continue
        if plugin in chosen or name in chosen:
            stays.add(module.__name__.partition(".")[0])
        else:
            config.pluginmanager.unregister(plugin, name)
    keep_out(fence, but=stays)


def _chosen_by_user(config: pytest.Config) -> list[object]:
    """Plugins that are installed, and names of those that were typed or stand in a variable."""
    words = [*shlex.split(os.environ.get("PYTEST_ADDOPTS", "")), *config.invocation_params.args]
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-p", action="append", default=[])
    names: list[str] = parser.parse_known_args(words)[0].p
    names += os.environ.get("PYTEST_PLUGINS", "").split(",")
    return [*names, *(plugin for plugin, _ in config.pluginmanager.list_plugin_distinfo())]


def leave_to_inside(config: pytest.Config) -> None:
    """Have this process distribute nothing, and leave the cache and the log file alone.

    ``-n`` is for the pytest-xdist inside, and the paths are as they are there.
    """
    config.option.pythonwarnings = None
    config.option.log_file = os.devnull
    config.option.cacheclear = False
    if hasattr(config.option, "numprocesses"):
        config.option.numprocesses = None
        config.option.dist = "no"
        config.option.tx = []
