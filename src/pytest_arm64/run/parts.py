"""The parts of a run: the tests of each service in an environment of its own, and all others."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path

import pytest

from ..config.project import Project
from ..config.services import ServiceConfig, prefixes, service_of
from ..config.settings import Settings, no_x86_side
from ..config.suggestions import suggestion
from ..config.system_packages import refuse_for
from ..config.targets import as_package
from ..config.toml_files import TomlFiles
from ..errors import SettingsError
from ..inside.boundary import RECORD
from ..inside.frames import BoundaryTest
from ..inside.function.record import RECORD as FUNCTION
from ..inside.regular_file import read_regular_text
from ..mirror.task import Task
from ..walking import walk_folders
from .arguments import GATE, positional
from .cells import PlannedCell, planned_cells
from .function_record import function_record

_CONFIGURED = {
    "pytest.ini": "",
    ".pytest.ini": "",
    "pyproject.toml": r"^\[tool\.pytest(\.ini_options)?\]",
    "tox.ini": r"^\[pytest\]",
    "setup.cfg": r"^\[tool:pytest\]",
}
"""Where pytest looks for its configuration, in its order, and what the file must have in it."""
_NEVER_TESTS = ("node_modules", "build", "dist", "venv", "__pycache__")
_TEST_FILES = ("test_*.py", "*_test.py")


@dataclass(frozen=True)
class RunPart:
    """What one mirrored session and its silent ones run."""

    service: ServiceConfig
    """The project itself for what belongs to none of its services."""
    settings: Settings
    task: Task
    cells: tuple[PlannedCell, ...]
    """In the order in which they run."""
    beside: bool = False
    """Whether there are services, and it belongs to none of them."""
    bounded: tuple[BoundaryTest, ...] = ()
    """The tests that it is for, where those are marked as staying on x86."""

    @property
    def owner(self) -> str:
        """The service's name."""
        return self.service.name

    @property
    def name(self) -> str:
        """That of the service, or what tells the part from the service's other one."""
        return f"{self.owner}: x86 boundary" if self.bounded else self.owner

    @property
    def records(self) -> dict[str, object]:
        """What its session reads of it: the service's function, and which of the tests it has."""
        function = function_record(self.settings, self.service)
        return {FUNCTION: function, **self._tests}

    @property
    def _tests(self) -> dict[str, object]:
        """The marked ones, all others, or simply all."""
        if self.bounded:
            return {RECORD: sorted({test.nodeid.partition("::")[0] for test in self.bounded})}
        alone = self.service.boundary is not None and not self.service.itself
        return {} if alone else {RECORD: None}

    def behind_boundary(self, tests: Iterable[BoundaryTest]) -> RunPart:
        """The part with *tests* of this one that stay on x86."""
        cells = planned_cells(self.settings, self.service, x86=True)
        return replace(self, cells=cells, bounded=tuple(tests))


def parts_of(config: pytest.Config, project: Project, task: Task) -> tuple[RunPart, ...]:
    """The parts of a run in the order of the services' configuration; one where there are none.

    Raises:
        SettingsError: ``--arm64-service`` names one that does not exist or has no tests here, or
            an artifact would have to be compared with x86.
    """
    wanted = tuple(config.option.arm64_service)
    _check(wanted, project)
    itself = project.itself
    settings = project.settings_of(itself)
    whole = RunPart(itself, settings, task, planned_cells(settings, itself))
    if not project.services.configured or config.option.arm64_requirements:
        return _with_packages([whole])
    parts = [
        _part(service, words, config, project, task)
        for service, words in _shares(config, project)
        if not wanted or service.name in wanted
    ]
    missing = [name for name in wanted if name not in {part.name for part in parts}]
    if missing:
        raise SettingsError(
            f"--arm64-service {missing[0]}: the arguments select none of its tests",
            next_step=f'tests = "…" in [tool.pytest-arm64.service.{missing[0]}], or other paths',
        )
    parts = _failed_last(config, parts, project)
    # Where nothing is found, the session inside says so as ever.
    return _with_packages(parts or [replace(whole, beside=True)])


def _with_packages(parts: Sequence[RunPart]) -> tuple[RunPart, ...]:
    """*parts*, each of which can have the packages of the system that it asks for.

    Raises:
        SettingsError: one cannot.
    """
    for part in parts:
        settings, service = part.settings, part.service
        target = as_package(settings.target, service.package)
        try:
            refuse_for(settings.system_packages, target, settings.artifact)
        except SettingsError as error:
            raise SettingsError(
                f"{service.where}: {error.what}", why=error.why, next_step=error.next_step
            ) from None
    return tuple(parts)


def _check(wanted: Sequence[str], project: Project) -> None:
    names = [service.name for service in (*project.services.configured, project.itself)]
    for name in wanted:
        if name not in names:
            raise SettingsError(
                f"--arm64-service {name}: there is no such service{suggestion(name, names)}",
                next_step=f"services here: {', '.join(names)}",
            )


def _part(
    service: ServiceConfig,
    words: Sequence[str],
    config: pytest.Config,
    project: Project,
    task: Task,
) -> RunPart:
    args = [*_without(task.args, [w for w, _ in _named(config)]), *words]
    cwd = task.cwd
    option = config.option
    if not (option.inifilename or option.rootdir):
        # From a part of the paths pytest may find another root; ids stay relative to one for all.
        args = [f"--rootdir={config.rootpath}", *args]
        file = None if service.itself else _own_configuration(prefixes(service), project)
        if file is not None:
            # As pytest would run in that folder.
            args = ["-c", str(file), *args]
            cwd = str(file.parent)
    own = project.settings_of(service)
    if own.artifact is not None and own.reference:
        raise no_x86_side(service.where)
    return RunPart(
        service,
        own,
        replace(task, args=tuple(args), cwd=cwd),
        planned_cells(own, service),
        beside=service.itself,
    )


def _shares(config: pytest.Config, project: Project) -> Iterator[tuple[ServiceConfig, list[str]]]:
    """Services with tests among what was asked, each with the arguments that name them."""
    services = project.services.configured
    named = _named(config)
    if config.option.pyargs and positional(config.option) and not named:
        # A package's own tests are the same in every environment.
        yield from ((service, []) for service in services)
        return
    here = Path(config.invocation_params.dir)
    asked = [(path, word[len(word.partition("::")[0]) :]) for word, path in named] or [(here, "")]
    patterns = (*_TEST_FILES, *config.getini("python_files"))
    others = [prefix for service in services for prefix in prefixes(service)]
    for service in services:
        share: list[Path] = []
        words: list[str] = []
        for path, inside in asked:
            if service_of(services, path) is service:
                roots = [path]
                words.append(f"{path}{inside}")
            else:
                roots = [prefix for prefix in prefixes(service) if path in prefix.parents]
                words += map(str, roots)
            share += roots
        # Tests that are configured are there; of a folder somebody has to look.
        if share and (service.tests or any(_has_tests(p, patterns, others) for p in share)):
            yield service, [*dict.fromkeys(words), *_ignored(others, share)]
    rest = [(path, inside) for path, inside in asked if service_of(services, path) is None]
    paths = [path for path, _ in rest]
    if not named and here == config.rootpath:
        paths = [path for name in config.getini("testpaths") for path in here.glob(name)] or paths
    if any(_has_tests(path, patterns, others) for path in paths):
        words = [f"{path}{inside}" for path, inside in rest] if named else []
        yield project.itself, [*words, *_ignored(others, paths)]


def _failed_last(
    config: pytest.Config, parts: Sequence[RunPart], project: Project
) -> list[RunPart]:
    """With ``--lf``, those of *parts* in which something failed last; all where nothing did."""
    cache = getattr(config, "cache", None)
    failed = cache.get("cache/lastfailed", {}) if cache is not None and config.option.lf else {}
    services = tuple(part.service for part in parts if not part.service.itself)
    paths = [config.rootpath / str(nodeid).partition("::")[0] for nodeid in failed]
    names = {(service_of(services, path) or project.itself).name for path in paths}
    return [part for part in parts if part.name in names] or list(parts)


def _ignored(prefixes: Iterable[Path], paths: Collection[Path]) -> list[str]:
    """Options that keep out what lies below *paths* and is another service's."""
    return [f"--ignore={p}" for p in prefixes if any(path in p.parents for path in paths)]


def _named(config: pytest.Config) -> list[tuple[str, Path]]:
    """Words of the command line that name files or folders, and what they name."""
    here = Path(config.invocation_params.dir)
    named = []
    for word in positional(config.option):
        path = Path(os.path.normpath(here / word.partition("::")[0]))
        if not word.startswith(GATE) and path.exists():
            named.append((word, path))
    return named


def _without(args: Sequence[str], words: Sequence[str]) -> list[str]:
    """*args* less *words*; where one is there more often, an option's value is left."""
    surplus = Counter(args) - Counter(words)
    left = []
    for before, word in zip(["", *args], args, strict=False):
        if word in words and not (surplus[word] and before.startswith("-")):
            continue
        if word in words:
            surplus[word] -= 1
        left.append(word)
    return left


def _own_configuration(paths: Sequence[Path], project: Project) -> Path | None:
    """pytest's configuration nearest above *paths* and below the root; None for the root's."""
    common = Path(os.path.commonpath(paths))
    for folder in (common, *common.parents):
        if project.rootpath not in folder.parents:
            return None
        for name, heading in _CONFIGURED.items():
            text = _text(folder / name, project.files.toml)
            if text is not None and re.search(heading, text, re.MULTILINE):
                return folder / name
    return None


def _text(path: Path, toml: TomlFiles) -> str | None:
    """The text of a configuration file; None where it is missing."""
    if path.suffix == ".toml":
        file = toml.find(path)
        return file.text if file is not None else None
    try:
        return read_regular_text(path, "replace")
    except OSError:
        return None


def _has_tests(path: Path, patterns: Sequence[str], others: Sequence[Path]) -> bool:
    """Whether a file below *path*, and below none of *others*, has the name of a test file."""
    if not path.is_dir():
        return path.exists()
    for folder, names, files in walk_folders(path):
        here = Path(folder)
        names[:] = [
            name
            for name in names
            if not name.startswith(".")
            and name not in _NEVER_TESTS
            and here / name not in others
            and not (here / name / "pyvenv.cfg").exists()
        ]
        if any(fnmatch(file, pattern) for file in files for pattern in patterns):
            return True
    return False
