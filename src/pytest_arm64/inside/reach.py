"""Which of a few packages the tests of each file can reach, by what is loaded when they are over.

A module reaches another where a name of it stands for something of the other, and a module of the
project also where its text names the other, in an import or in a string such as
``"app.views.home"``. What this cannot follow counts as reaching everything.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import cast

import pytest

from .bound_stdlib import originals
from .frames import EVERYTHING, NEWER_CODE
from .plugin import SOURCE
from .project_code import is_project_file, is_standard_file
from .pytest_internals import PACKAGE

_IMPORT = re.compile(r"^[ \t]*import[ \t]+([^#\n;]+)", re.MULTILINE)
_FROM = re.compile(r"^[ \t]*from[ \t]+([.\w]+)[ \t]+import[ \t]*(\([^)]*\)|[^#\n;]+)", re.MULTILINE)
_SKIPPED = re.compile(r"importorskip\(\s*[\"']([.\w]+)[\"']")
_DOTTED = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_QUOTED = re.compile(r"[\"']([A-Za-z_]\w*(?:[.:]\w+)+)[\"']")
# Other programs, and modules whose names stand nowhere in the text.
_UNKNOWN = re.compile(
    r"\b(?:subprocess|multiprocessing|ProcessPoolExecutor|pexpect|pytester|testdir|popen|os\.system"
    r"|import_module|__import__|exec_module|runpy|pickle|cloudpickle|dill|joblib|shelve)\b"
)
# What runs tests refers to their modules, and they to it.
_RUNNING = (
    *(PACKAGE, "pytest", "pluggy", "xdist", "pytest_arm64"),
    (__package__ or "").partition(".")[0],
)
_LONGEST = 2_000_000
_MOST_VALUES, _MOST_NAMES = 1000, 10_000
_CONTAINERS = (dict, list, tuple, set, frozenset)
_class_module = type.__dict__["__module__"].__get__
_mro = type.__dict__["__mro__"].__get__

Reached = Mapping[str, Sequence[str]]
"""By test file: the reached packages, or ``EVERYTHING``."""


def reached_by_files(session: pytest.Session, records: Mapping[str, object]) -> Reached:
    """What the files of *session*'s tests reach of the packages that *records* name.

    Empty, which counts as everything, where that cannot be found out.
    """
    try:
        return _reached(session, frozenset(cast("Sequence[str]", records[NEWER_CODE])))
    except Exception:  # noqa: BLE001  (objects of the project may do anything)
        return {}


def _reached(session: pytest.Session, packages: Collection[str]) -> Reached:
    modules = dict(sys.modules)
    starts = dict(_starts(session, modules))
    graph = _Graph(packages, modules, set(_built()))
    graph.follow({key for keys in starts.values() for key in keys})
    if not graph.explains_what_is_loaded():
        return {file: [EVERYTHING] for file in starts}
    return {
        file: sorted(graph.reached_from(keys)) if keys else [EVERYTHING]
        for file, keys in starts.items()
    }


def _starts(
    session: pytest.Session, modules: dict[str, ModuleType]
) -> Iterator[tuple[str, set[str]]]:
    """Each test file, with the keys in *modules* of what its tests use in any case.

    No keys where its tests are in no module. Of conftests with the same name only one stays
    loaded; the others are added to *modules*.
    """
    plugins = []
    for _, plugin in session.config.pluginmanager.list_name_plugin():
        path = _file(plugin)
        if is_project_file(path):
            folder, name = os.path.split(path)
            place = folder + os.sep if name == "conftest.py" else ""
            plugins.append((place, _key(cast("ModuleType", plugin), modules)))
    seen = set()
    for item in session.items:
        file = item.nodeid.partition("::")[0]
        if file in seen:
            continue
        seen.add(file)
        node = item.getparent(pytest.Module)
        path = _file(node.obj) if node is not None else ""
        around = {key for place, key in plugins if path.startswith(place)}
        yield file, {_key(node.obj, modules), *around} if node is not None and path else set()


def _built() -> Iterator[str]:
    """Top-level modules of projects that were built from folders, and installed as wheels."""
    for folder in originals.json_loads(os.environ.get(SOURCE, "[]")):
        for place in (folder, os.path.join(folder, "src")):
            if os.path.isdir(place):
                yield from (name.partition(".")[0] for name in os.listdir(place))


def _file(module: object) -> str:
    """The file of *module*; empty for anything that has none."""
    if not issubclass(type(module), ModuleType):
        return ""
    path = _names(module).get("__file__")
    return path if isinstance(path, str) else ""


def _key(module: ModuleType, modules: dict[str, ModuleType]) -> str:
    name = str(_names(module).get("__name__"))
    key = name if modules.get(name) is module else _file(module)
    modules[key] = module
    return key


def _names(module: object) -> dict[str, object]:
    """Of a module, without the hooks that a lazy one has."""
    return cast("dict[str, object]", object.__getattribute__(module, "__dict__"))


class _Graph:
    """Loaded modules, and which of them each one reaches."""

    def __init__(
        self,
        packages: Collection[str],
        modules: Mapping[str, ModuleType],
        built: Collection[str] = (),
    ) -> None:
        self._packages = packages
        self._modules = modules
        self._built = built
        self._edges: dict[str, set[str]] = {}
        self._unknown: set[str] = set()
        """Modules that start programs, or load modules by names that are not known."""

    def follow(self, names: Iterable[str]) -> None:
        """Read all that *names* reach."""
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in self._edges:
                self._edges[name] = self._named_by(name) & self._modules.keys() - {name}
                pending += self._edges[name]

    def reached_from(self, names: Collection[str]) -> set[str]:
        """The packages that *names* reach."""
        seen, pending = set(names), list(names)
        while pending:
            new = self._edges[pending.pop()] - seen
            seen |= new
            pending += new
        if seen & self._unknown:
            return {EVERYTHING}
        return {package for package in map(_top, seen) if package in self._packages}

    def explains_what_is_loaded(self) -> bool:
        """Whether nothing was loaded by a name that stands in no text.

        A framework loads modules of the project so, which tests then use without naming them.
        """
        known = set(self._edges)
        loaded = {top for top in map(_top, self._modules) if top in self._packages}
        if loaded - set(map(_top, known)):
            return False
        others = [name for name in self._modules if name not in known and self._is_own(name)]
        self.follow(others)
        return not any(self.reached_from([name]) for name in others)

    def _is_own(self, name: str) -> bool:
        """Whether module *name* is the project's."""
        path = _file(self._modules[name])
        own = is_project_file(path) or (path != "" and _top(name) in self._built)
        return own and name != "__main__"

    def _named_by(self, name: str) -> set[str]:
        module = self._modules.get(name)
        if _top(name) in _RUNNING or not issubclass(type(module), ModuleType):
            return set()
        names, path = _names(module), _file(module)
        if is_standard_file(path) or not (path or "__path__" in names):
            return set()  # of the interpreter
        if not (path.endswith(".py") and self._is_own(name)):
            return set(_modules_of(list(names.values())[:_MOST_NAMES]))
        # Each loaded submodule is an attribute of its package, even if other code loaded it.
        values = [
            value
            for attribute, value in list(names.items())[:_MOST_NAMES]
            if self._modules.get(f"{name}.{attribute}") is not value
        ]
        text = _read(path)
        if _UNKNOWN.search(text):
            self._unknown.add(name)
        package = str(names.get("__package__") or "")
        return {*_modules_of(values), *self._loaded_names(text, package)}

    def _loaded_names(self, text: str, package: str) -> Iterator[str]:
        """Modules that *text*, of a module in *package*, may name."""
        around = package.split(".") if package else []
        folders = ["", *(".".join(around[: n + 1]) + "." for n in range(len(around)))]
        for dotted in names_in(text):
            for folder in folders:
                parts = f"{folder}{dotted}".split(".")
                yield from (".".join(parts[: n + 1]) for n in range(len(parts)))
                if parts[-1] == "*":
                    start = ".".join(parts[:-1]) + "."
                    yield from (name for name in self._modules if name.startswith(start))


def _read(path: str) -> str:
    with originals.open(path, encoding="utf-8", errors="replace") as stream:
        return stream.read(_LONGEST)


def names_in(text: str) -> Iterator[str]:
    """Dotted names in *text*, Python code, without leading dots.

    ``a.*`` stands for all modules in ``a``: a name in quotes, or another name for ``a``, may lead
    to each.
    """
    for match in _IMPORT.finditer(text):
        for part in match[1].split(","):
            module, renamed, _ = part.strip().partition(" as ")
            yield f"{module.strip()}.*" if renamed else module
    for match in _FROM.finditer(text):
        module = match[1].lstrip(".")
        yield module
        for part in re.sub(r"#[^\n]*", "", match[2]).strip("()").split(","):
            yield f"{module}.{part.split(' as ')[0].strip()}".lstrip(".")
    yield from (match[0] for match in _DOTTED.finditer(text))
    for pattern in (_SKIPPED, _QUOTED):
        yield from (f"{match[1].replace(':', '.')}.*" for match in pattern.finditer(text))


def _modules_of(values: Iterable[object], depth: int = 2) -> Iterator[str]:
    """Names of the modules that *values* are, or come from; nothing of them is called."""
    for value in values:
        kind = type(value)
        if issubclass(kind, ModuleType):
            yield from _text(_names(value).get("__name__"))
        elif kind in (FunctionType, BuiltinFunctionType):
            yield from _text(cast("FunctionType", value).__module__)
        elif kind in _CONTAINERS and depth:
            inner = cast("Collection[object]", value)
            if isinstance(inner, dict):
                inner = list(inner.values())
            yield from _modules_of(list(inner)[:_MOST_VALUES], depth - 1)
        else:
            described = cast("type", value) if issubclass(kind, type) else kind
            for base in _mro(described):
                with suppress(AttributeError):  # a class without a module
                    yield from _text(_class_module(base))


def _text(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value


def _top(name: str) -> str:
    return name.partition(".")[0]
