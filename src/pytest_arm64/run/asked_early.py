"""Asks pip for its configuration before anybody needs the answer: another process has to start."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from ..index.pip_config import PipConfig, host_pip_config
from ..index.workers import in_background

_PIP = pytest.StashKey["Future[PipConfig]"]()


def ask_early(config: pytest.Config) -> None:
    """Ask, in the background, unless a plugin provides the places: they need no installation."""
    if not config.hook.pytest_arm64_place.get_hookimpls():
        pip_config(config)


def pip_config(config: pytest.Config) -> Future[PipConfig]:
    """pip's configuration, asked for once in a run."""
    if _PIP not in config.stash:
        config.stash[_PIP] = in_background(host_pip_config)
    return config.stash[_PIP]
