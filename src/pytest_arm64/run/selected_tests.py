"""What was typed on the command line, and which tests of a service that leaves out."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ..config.services import ServiceConfig, prefixes
from .arguments import GATE, positional

_SELECTING = (
    "-k",
    "-m",
    "--lf",
    "--last-failed",
    "--sw",
    "--stepwise",
    "--sw-skip",
    "--stepwise-skip",
    "--deselect",
    "--group",
    "--ignore",
    "--ignore-glob",
)
_SHORT = re.compile(r"-[hlqsvxV]*[km]")
"""``-k`` or ``-m``, alone or behind short options without a value, as in ``-qk``."""
_OVERRIDE = re.compile(
    r"(-o|--override-ini=)?(python_(classes|files|functions)|norecursedirs|testpaths)="
)
"""A setting of what is collected, of ``-o``."""
_ADDOPTS = re.compile(r"(-o|--override-ini=)?addopts=")
_NO_COLLECTOR = re.compile(r"-p ?no:(python|unittest|doctest)$")
"""A plugin of pytest without which tests of one kind are not collected."""
_DESELECTING = ("-k", "-m", "--deselect", "--group")


class Asked:
    """The arguments of this run, by what they ask of each service."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def none_of(self, service: ServiceConfig) -> str:
        """What was typed that asked for none of the tests of *service*; empty where some were."""
        here, option = Path(self._config.invocation_params.dir), self._config.option
        wanted = option.arm64_service
        if wanted and service.name not in wanted:
            return " ".join(f"--arm64-service {name}" for name in wanted)
        asked = self._named() or [here]
        if not any(_below(p, a) or _below(a, p) for p in prefixes(service) for a in asked):
            return " ".join(positional(option)) or f"the run was started in {here.name}"
        return " ".join(self.selection(service))

    def _words(self, arg: str) -> list[str]:
        """*arg*, or the lines of the file that it names with an ``@``, which pytest 8.2 reads."""
        if not arg.startswith("@"):
            return [arg]
        try:
            text = Path(self._config.invocation_params.dir, arg[1:]).read_text("utf-8")
        except (OSError, ValueError):
            return [arg]
        return text.splitlines()

    def _named(self) -> list[Path]:
        """What was typed and names files or folders."""
        here = Path(self._config.invocation_params.dir)
        paths = [here / arg for arg in positional(self._config.option)]
        return [Path(os.path.normpath(path)) for path in paths if path.exists()]

    def selection(self, service: ServiceConfig) -> Iterator[str]:
        """The arguments that left tests out: typed or in a variable, not those of a file."""
        args = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
        args += [str(arg) for arg in self._config.invocation_params.args]
        yield from _selecting([word for arg in args for word in self._words(arg)])
        if self._config.option.pyargs:
            yield "--pyargs"
        existing = self._named()
        own = prefixes(service)
        yield from (p.name for p in existing if p.is_file() and any(_below(p, o) for o in own))
        for tests in service.tests:
            if existing and not any(_below(tests, path) for path in existing):
                yield f"{tests.name} was not named"


def _selecting(args: Sequence[str]) -> Iterator[str]:
    """Those of *args* that leave tests out."""
    for before, arg in zip(["", *args], args, strict=False):
        if before in ("-k", "-m", "--deselect", "--group"):
            continue
        addopts = _ADDOPTS.match(arg)
        if (
            (addopts is not None and any(_selecting(shlex.split(arg[addopts.end() :]))))
            or arg.partition("=")[0] in _SELECTING
            or _SHORT.match(arg)
            or _OVERRIDE.match(arg)
            or _NO_COLLECTOR.match(f"-p{arg}" if before == "-p" else arg)
            or ("::" in arg and not arg.startswith(("-", GATE)))
        ):
            yield arg


def all_known(part: Sequence[str]) -> bool:
    """Whether all that *part* left out was collected, and is known by name."""
    return bool(part) and all(word.startswith(_DESELECTING) for word in part)


def _below(path: Path, parent: Path) -> bool:
    return path == parent or parent in path.parents
