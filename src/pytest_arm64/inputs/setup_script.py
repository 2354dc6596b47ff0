"""What a ``setup.py`` does, read from its syntax tree: it is never run."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from .setup_programs import outside_of
from .setup_values import Values

MAXIMUM_BYTES = 2**17
"""Of a script that is read."""
# Words that only a script that compiles something uses.
_COMPILING = frozenset(
    [
        *("ext_modules", "Extension", "build_ext", "build_clib", "has_ext_modules", "libraries"),
        *("cffi_modules", "ffi_modules", "rust_extensions", "RustExtension", "RustBin"),
        *("cythonize", "mypycify", "Pybind11Extension", "CMakeExtension", "CppExtension"),
        *("CUDAExtension", "build_golang", "milksnake_tasks", "swig_opts"),
    ]
)
# Arguments of setup(), which scripts also put into tables.
_KEYS = ("ext_modules", "cffi_modules", "rust_extensions")
COMPILING_TOOLS = frozenset(
    [
        *("cython", "pybind11", "nanobind", "cffi", "numpy", "mypy", "mypyc", "cmake", "ninja"),
        *("scikit-build", "scikit-build-core", "setuptools-rust", "setuptools-golang", "swig"),
        *("maturin", "meson", "meson-python", "py-build-cmake", "sip", "milksnake", "ziglang"),
        *("setuptools-zig", "oldest-supported-numpy", "extension-helpers", "hatch-cython"),
        *("hatch-mypyc", "scikit-build-core-conan", "torch"),
    ]
)
"""Projects that are needed to build what compiles, normalised."""
_COMPILING_MODULES = frozenset(
    [
        *("Cython", "pybind11", "nanobind", "cffi", "numpy", "mypyc", "skbuild", "torch"),
        *("setuptools_rust", "setuptools_golang", "sipbuild", "cmake", "milksnake"),
    ]
)
# What builds, and what a script that goes on without it calls again: setup(), run_setup(True).
_BUILDING = frozenset(["run", "build_extension", "build_extensions"])
# The way in which PyYAML and ruamel.yaml try an extension before they build it.
_TRYING = frozenset(["ext_status"])
# What differs from machine to machine, or from Python to Python.
_ENVIRONMENT = frozenset(
    [
        *("version_info", "hexversion", "platform", "environ", "getenv", "uname", "machine"),
        *("maxsize", "sysconfig", "PY2", "PY3", "python_implementation", "byteorder"),
    ]
)
_REMOVED = frozenset(["imp"])  # from Python 3.12 on: what imports it cannot be built there
_IMPORTABLE = (sys.stdlib_module_names - _REMOVED) | {
    *("setuptools", "distutils", "pkg_resources", "wheel", "versioneer"),
}


@dataclass(frozen=True)
class SetupScript:
    """One script."""

    tree: ast.Module | None
    """None where it is too large, or not valid Python 3."""
    own: frozenset[str] = frozenset()
    """Modules that come with it."""

    @cached_property
    def compiles(self) -> str:
        """The word that says that it compiles something; empty where none does."""
        for node in self._nodes:
            for name in _names(node):
                if name in _COMPILING:
                    return name
            module = next((m for m in _imported(node) if m in _COMPILING_MODULES), "")
            if module:
                return f"import {module}"
        tools = (tool for tool in self.values.words("setup_requires") if tool in COMPILING_TOOLS)
        return next(tools, "")

    @cached_property
    def optional(self) -> bool:
        """Whether it goes on where the compiler fails."""
        return bool(self.compiles) and any(
            _goes_on(node) or _is_optional(node) or not _TRYING.isdisjoint(_names(node))
            for node in self._nodes
        )

    @cached_property
    def unclear(self) -> str:
        """Why its build may do what its words do not say; empty where it cannot."""
        if self.tree is None:
            return "is too large, or not valid Python 3"
        if any(_translates(node) for node in self._nodes):
            return "translates Python 2, which setuptools no longer does"
        for module in _needed_at_once(self.tree.body):
            if module not in _IMPORTABLE | self.own | set(self.values.words("setup_requires")):
                return f"imports {module}"
        return next((reason for node in self._nodes if (reason := outside_of(node))), "")

    @cached_property
    def repeatable(self) -> bool:
        """Whether what it computes depends on its own files alone."""
        return self.tree is not None and not any(
            name in _ENVIRONMENT
            for node in self._nodes
            for name in (*_names(node), *_imported(node))
        )

    @cached_property
    def values(self) -> Values:
        """What it hands to ``setup``."""
        return Values(self.tree)

    @property
    def imports(self) -> frozenset[str]:
        """The modules that it imports, anywhere."""
        return frozenset(module for node in self._nodes for module in _imported(node))

    @property
    def requires(self) -> tuple[tuple[str, str], ...] | None:
        """The requirements that it states, each after its extra; None where it computes them."""
        return self.values.requirements()

    @property
    def requires_python(self) -> str:
        """``python_requires``, empty where it states none."""
        value = self.values.of("python_requires")
        return value if isinstance(value, str) else ""

    @property
    def describes_project(self) -> bool:
        """Whether it calls ``setup``, and in one place."""
        return self.values.called

    @property
    def _nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree) if self.tree is not None else iter(())


def read_setup_script(source: bytes, beside: Iterable[str] = ()) -> SetupScript:
    """The script *source*; *beside* are the names of the files and folders beside it."""
    return SetupScript(_parsed(source), frozenset(name.removesuffix(".py") for name in beside))


def _parsed(source: bytes) -> ast.Module | None:
    if len(source) > MAXIMUM_BYTES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes in somebody else's strings
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _names(node: ast.AST) -> Iterator[str]:
    """The identifiers that *node* itself uses."""
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr
    elif isinstance(node, ast.alias):
        yield node.name.rpartition(".")[2]
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.keyword) and node.arg and not _is_empty(node.value):
        yield node.arg
    elif isinstance(node, ast.Constant) and node.value in _KEYS:
        yield str(node.value)


def _is_empty(value: ast.expr) -> bool:
    """Whether *value* says that there is nothing: ``None``, ``[]``, ``False``."""
    if isinstance(value, ast.Constant):
        return not value.value
    return isinstance(value, (ast.List, ast.Tuple)) and not value.elts


def _imported(node: ast.AST) -> Iterator[str]:
    """The top-level modules that *node* itself imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.partition(".")[0]


def _translates(node: ast.AST) -> bool:
    """Whether *node* hands ``use_2to3`` to ``setup``, as an argument or in a table of them."""
    if isinstance(node, ast.keyword):
        return node.arg == "use_2to3" and not _is_empty(node.value)
    return isinstance(node, ast.Constant) and node.value == "use_2to3"


def _needed_at_once(body: Collection[ast.stmt]) -> Iterator[str]:
    """The modules without which the script does not get to its end."""
    for statement in body:
        yield from _imported(statement)
        if isinstance(statement, ast.Try):
            if not statement.handlers:
                yield from _needed_at_once(statement.body)
            yield from _needed_at_once(statement.finalbody)
        elif isinstance(statement, ast.With):
            yield from _needed_at_once(statement.body)


def _goes_on(node: ast.AST) -> bool:
    """Whether *node* builds something, and goes on where that fails."""
    if not isinstance(node, ast.Try):
        return False
    return any(_leaves_out(handler) for handler in node.handlers) and any(
        isinstance(part, ast.Call) and _builds(part.func)
        for statement in node.body
        for part in ast.walk(statement)
    )


def _leaves_out(handler: ast.ExceptHandler) -> bool:
    """Whether *handler* goes on without what failed, and not without one of several only."""
    taken = (
        isinstance(part, ast.Attribute) and part.attr == "remove" for part in ast.walk(handler)
    )
    return not isinstance(handler.body[-1], ast.Raise) and not any(taken)


def _builds(function: ast.expr) -> bool:
    if isinstance(function, ast.Attribute) and function.attr in _BUILDING:
        module = function.value
        return not (isinstance(module, ast.Name) and module.id == "subprocess")
    return any("setup" in name for name in _names(function))


def _is_optional(node: ast.AST) -> bool:
    """Whether *node* says ``optional=…``, as extensions may, and not that it is not."""
    if not isinstance(node, ast.keyword) or node.arg != "optional":
        return False
    return not (isinstance(node.value, ast.Constant) and not node.value.value)
