"""``--arm64-keep`` and ``--pdb``: keeps a container after the run, tells how tests open in it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..errors import Arm64Error
from ..mirror.kept_place import in_words
from .arguments import positional

if TYPE_CHECKING:
    from ..mirror.kept_place import KeptPlace
    from ..mirror.mirror import HostMirror
    from ..mirror.task import Task
    from ..mirror.transport import Transport

MOST_SHOWN = 10
"""Of how many failing tests the command is told; the others' differs in the id alone."""
# What would select otherwise the second time, or write a file over one of the run's.
_FLAGS = (
    "--pdb",
    *("--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first"),
    *("--sw", "--stepwise", "--sw-skip", "--stepwise-skip", "--cache-clear"),
)
_VALUES = ("--junitxml", "--junit-xml", "--html")


@dataclass(frozen=True)
class Held:
    """What a finished session leaves to whoever keeps its place."""

    transport: Transport
    task: Task
    mirror: HostMirror


class Keeper:
    """Keeps the places of the sessions that were shown; *held* tells of them."""

    def __init__(self, config: pytest.Config, held: Callable[[], list[Held]]) -> None:
        self._config = config
        self._held = held
        self._lines: list[str] = []
        self._seen: list[Transport] = []

    # Of several sessions each one's place is gone when the next begins.
    @pytest.hookimpl(trylast=True)
    def pytest_arm64_finished(self) -> None:
        self._keep()

    # Within the reporter's wrapper, which shows the summary at its end.
    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        self._keep()

    def _keep(self) -> None:
        for held in self._held():
            if held.transport in self._seen:
                continue
            self._seen.append(held.transport)
            if not (self._config.option.arm64_keep or held.mirror.broken):
                continue
            try:
                place = held.transport.keep(held.task)
            except Arm64Error as error:
                self._lines.append(f"arm64: the container is not kept: {error}")
            else:
                self._lines += _shown(self._config, place, held)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._lines:
            terminalreporter.write_line(line)


def _shown(config: pytest.Config, place: KeptPlace, held: Held) -> Iterator[str]:
    args, typed = held.task.args, set(config.invocation_params.args)
    # A service's session gets paths of its own, and perhaps ``-c`` with its configuration.
    paths = positional(config.option) + [
        word
        for before, word in zip(["", *args], args, strict=False)
        if word not in typed and not word.startswith("-") and before != "-c"
    ]
    words = options_of(args, paths, Path(held.task.cwd))
    if held.mirror.ledger.distributed:
        words.append("-n0")
    if any(name.startswith("pytest-cov-") for name in held.mirror.plugins) and any(
        word.startswith("--cov") for word in [*words, *config.getini("addopts")]
    ):
        words.append("--no-cov")
    yield f"arm64: kept: {place.what}; remove it: {place.remove}"
    broken = list(held.mirror.broken)
    yield f"arm64: open a {'failing ' if broken else ''}test in it:"
    for nodeid in broken[:MOST_SHOWN]:
        path, mark, name = nodeid.partition("::")
        test = os.path.relpath(config.rootpath / path, held.task.cwd) + mark + name
        yield f"  {place.enter} {in_words([*words, '--pdb', test])}"
    if len(broken) > MOST_SHOWN:
        yield f"  … and {len(broken) - MOST_SHOWN} others, each with its own id"
    elif not broken:
        yield f"  {place.enter} {in_words([*words, '--trace', 'FILE::TEST'])}"


def options_of(args: Sequence[str], paths: Collection[str], cwd: Path) -> list[str]:
    """*args* of a run less its *paths*, and less what must not be done for one test again.

    A word after an option that only the session inside knows may be its value or a path:
    what exists below *cwd* is taken for a path.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in _FLAGS:
        parser.add_argument(name, action="store_true")
    for name in _VALUES:
        parser.add_argument(name)
    _, left = parser.parse_known_args(list(args))
    words = []
    for before, word in zip(["", *left], left, strict=False):
        valued = before.startswith("-") and "=" not in before and before != "--pyargs"
        exists = (cwd / word.partition("::")[0]).exists()
        if word not in paths or (valued and not exists):
            words.append(word)
    return words
