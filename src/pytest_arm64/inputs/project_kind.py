"""How a project is installed: editable, as a wheel, or not at all, with its dependencies alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

from packaging.utils import canonicalize_name

from ..config.settings import Settings
from ..config.toml_files import TomlFiles
from ..inside.regular_file import read_regular_text
from .project import workspace_root
from .project_files import SKIPPED
from .reading import Table, table, tables

EDITABLE, WHEEL, NOT_INSTALLED = "editable", "wheel", "none"
_COMPILING_BACKENDS = ("mesonpy", "scikit_build_core", "maturin", "py_build_cmake")
_EXTENSIONS = re.compile(
    r"\b(ext_modules|cffi_modules|rust_extensions|cythonize|mypycify|CMakeExtension)\b"
)
# What automatic discovery leaves out. Source: setuptools 80.9, `discovery.py`, FlatLayout*Finder.
_NO_PACKAGES = frozenset(
    [
        *("ci", "bin", "debian", "doc", "docs", "documentation", "manpages", "news"),
        *("newsfragments", "changelog", "test", "tests", "unit_test", "unit_tests", "example"),
        *("examples", "scripts", "tools", "util", "utils", "python", "build", "benchmark"),
        *("benchmarks", "exercise", "exercises", "htmlcov", "tasks", "fabfile", "site_scons"),
    ]
)
_NO_MODULES = frozenset(
    [
        *("setup", "conftest", "test", "tests", "example", "examples", "build", "toxfile"),
        *("noxfile", "pavement", "dodo", "tasks", "fabfile"),
    ]
)


def install_mode(settings: Settings, rootpath: Path, pyproject: Table, toml: TomlFiles) -> str:
    """How the project itself is installed: ``editable``, ``wheel`` or ``none``.

    Compiled code cannot be used out of the source: it is built where compilers are.
    """
    if settings.install == NOT_INSTALLED or not is_package(rootpath, pyproject, toml):
        return NOT_INSTALLED
    if settings.install == "auto":
        return WHEEL if _compiled(rootpath, pyproject) else EDITABLE
    return settings.install


def is_package(rootpath: Path, pyproject: Table, toml: TomlFiles) -> bool:
    """Whether the project in *rootpath* can be installed, as its files say."""
    chosen = table(pyproject, "tool", "uv").get("package")
    if isinstance(chosen, bool):
        return chosen
    if table(pyproject, "tool", "poetry").get("package-mode") is False:
        return False
    if (rootpath / "setup.py").is_file():
        return True
    if "build-system" in pyproject:
        backend = str(table(pyproject, "build-system").get("build-backend", "setuptools"))
        return not backend.startswith("setuptools") or not _ambiguous(rootpath, pyproject)
    if "project" not in pyproject:
        return False
    name = str(table(pyproject, "project").get("name", ""))
    return not _virtual(rootpath, name, toml) and not _ambiguous(rootpath, pyproject)


def _virtual(rootpath: Path, name: str, toml: TomlFiles) -> bool:
    """Whether uv's lock has the project as a virtual one: its dependencies alone."""
    root = rootpath
    if not (root / "uv.lock").is_file():
        root = workspace_root(rootpath, toml) or rootpath
    return any(
        canonicalize_name(str(package.get("name", ""))) == canonicalize_name(name)
        and "virtual" in table(package, "source")
        for package in tables(toml.data(root / "uv.lock").get("package"))
    )


def _ambiguous(rootpath: Path, pyproject: Table) -> bool:
    """Whether automatic discovery would refuse the project: it does not guess which are packages.

    That is setuptools', which is the default back end too.
    """
    configured = {"packages", "py-modules", "package-dir"} & set(
        table(pyproject, "tool", "setuptools")
    )
    if configured or (rootpath / "src").is_dir() or (rootpath / "setup.cfg").is_file():
        return False
    try:
        entries = [entry for entry in os.scandir(rootpath) if not entry.name.startswith((".", "_"))]
    except OSError:
        return False
    folders = [
        entry.name
        for entry in entries
        if entry.is_dir() and entry.name.isidentifier() and entry.name not in _NO_PACKAGES | SKIPPED
    ]
    modules = [
        entry.name
        for entry in entries
        if entry.is_file()
        and entry.name.endswith(".py")
        and entry.name[:-3].isidentifier()
        and entry.name[:-3] not in _NO_MODULES
        and not entry.name.startswith(("test_", "example_"))
    ]
    return len(folders or modules) > 1


def _compiled(rootpath: Path, pyproject: Table) -> bool:
    """Whether the project says that it has compiled code, as far as its files tell unexecuted."""
    backend = str(table(pyproject, "build-system").get("build-backend", ""))
    if backend.partition(".")[0] in _COMPILING_BACKENDS:
        return True
    if "ext-modules" in table(pyproject, "tool", "setuptools"):
        return True
    try:
        script = read_regular_text(rootpath / "setup.py", "replace")
    except OSError:
        return False
    return _EXTENSIONS.search(script) is not None
