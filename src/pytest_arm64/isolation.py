"""Keeps code of folders that we do not trust out of our processes and those that we start."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.abc import MetaPathFinder, PathEntryFinder
from pathlib import Path
from types import ModuleType

_OURS = f"{__package__}."
NEUTRAL = "/"
"""Working directory of the programs that we start: nothing of a project is found relative to it."""


@cache
def isolated_python() -> tuple[str, ...]:
    """The command that starts this interpreter with nothing but what is installed on its path.

    Start it in ``NEUTRAL``.
    """
    # -I leaves out the user's site folder. Who installed us there has pip and keyring there too.
    return (sys.executable, "-E" if _in_user_site() else "-I", "-X", "utf8")


def program(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """The program *name* of ``PATH``, as an absolute path; None if there is none.

    Entries that are relative to the working directory do not count: that may be a project's.
    """
    path = (os.environ if environ is None else environ).get("PATH", os.defpath)
    absolute = [entry for entry in path.split(os.pathsep) if Path(entry).is_absolute()]
    return shutil.which(name, path=os.pathsep.join(absolute)) if absolute else None


@dataclass(frozen=True)
class Fence:
    """Around the code of a project; packages that are installed below it are outside."""

    roots: frozenset[str]
    """The project's folder, and what it is behind links."""
    installed: frozenset[str]
    """Folders below it that are none of its code."""

    @classmethod
    def around(cls, root: Path) -> Fence:
        """The fence of the project at *root*, for this interpreter."""
        roots = frozenset([str(root.absolute()), str(root.resolve())])
        return cls(roots, frozenset(_installed_below(roots)))

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Whether *path*, or what it leads to, is code of the project."""
        place = os.path.abspath(path)  # noqa: PTH100 - for each import
        return self._holds(place) or self._holds(_real(place))

    def _holds(self, place: str) -> bool:
        return _is_below(place, self.roots) and not _is_below(place, self.installed)

    def holds_module(self, module: ModuleType) -> bool:
        """Whether *module* was loaded from the project."""
        spec: importlib.machinery.ModuleSpec | None = getattr(module, "__spec__", None)
        file: str | None = getattr(module, "__file__", None)
        return (file is not None and self.holds(file)) or (spec is not None and self.finds(spec))

    def finds(self, spec: importlib.machinery.ModuleSpec) -> bool:
        """Whether the module of *spec* would be loaded from the project."""
        places = [*(spec.submodule_search_locations or ())]
        if spec.has_location and spec.origin is not None:
            places.append(spec.origin)
        return any(self.holds(place) for place in places)


def keep_out(fence: Fence, *, but: Collection[str] = ()) -> None:
    """Import nothing of the project from now on, and start no program of it.

    Until the process ends: what runs at its exit must not find the project either.

    Args:
        fence: the project.
        but: top-level modules that stay, because the user has named them.
    """
    here = str(Path.cwd())
    sys.path[:] = [
        entry
        for entry in sys.path
        if Path(entry).is_absolute() and entry != here and not fence.holds(entry)
    ]
    for name in ("PATH", "PYTHONPATH"):
        if name in os.environ:
            os.environ[name] = os.pathsep.join(_outside(os.environ[name], fence))
    sys.meta_path.insert(0, _Guard(fence, frozenset(but)))
    if not but:  # finders that are put before ours, as pytest's, look into no folder of it
        sys.path_hooks.insert(0, partial(_closed, fence))
        sys.path_importer_cache.clear()
    if any(fence.holds_module(module) for module in list(sys.modules.values())):
        # A folder __pycache__ of the project may lead anywhere.
        sys.dont_write_bytecode = True


class _Closed(PathEntryFinder):
    """Finds nothing in a folder."""

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> None:
        """No module."""


def _closed(fence: Fence, folder: str) -> _Closed:
    """A path hook, for the folders of *fence*.

    Raises:
        ImportError: *folder* is not one of them, so that the next hook is asked.
    """
    if fence.holds(folder):
        return _Closed()
    raise ImportError(folder)


class _Guard(MetaPathFinder):
    """Finds what is not of the project; refuses what is, whichever finder finds it."""

    def __init__(self, fence: Fence, but: frozenset[str]) -> None:
        self._fence = fence
        self._but = but

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] in self._but:
            return None
        if fullname.startswith(_OURS):  # pytest's finder would read each of them for assertions
            own = importlib.machinery.PathFinder.find_spec(fullname, path, target)
            if own is not None and not self._fence.finds(own):
                return own
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            if isinstance(finder, _Guard) or find is None:
                continue
            spec: importlib.machinery.ModuleSpec | None = find(fullname, path, target)
            if spec is None:
                continue
            if not self._fence.finds(spec):
                return spec
            break
        else:
            return None
        if path is None:  # a folder of the project may come first, and the module be installed
            folders = [entry for entry in sys.path if entry and not self._fence.holds(entry)]
            spec = importlib.machinery.PathFinder.find_spec(fullname, folders, target)
            if spec is not None and not self._fence.finds(spec):
                return spec
        raise ModuleNotFoundError(
            f"{fullname} is part of the project, whose code does not run on the host", name=fullname
        )


def _outside(path: str, fence: Fence) -> Iterable[str]:
    """The entries of *path* that are absolute and not of the project."""
    own = Path(sys.prefix)
    for entry in path.split(os.pathsep):
        folder = Path(entry)
        if folder.is_absolute() and (folder.parent == own or not fence.holds(entry)):
            yield entry


def _real(place: str) -> str:
    """What *place*, an absolute path, leads to."""
    folder, name = os.path.split(place)
    real = os.path.join(_real_folder(folder), name)  # noqa: PTH118 - for each import
    return os.path.realpath(real) if os.path.islink(real) else real  # noqa: PTH114


@cache
def _real_folder(folder: str) -> str:
    """Once for each: hundreds of modules lie in a few folders, and those are nobody's to change."""
    return folder if os.path.dirname(folder) == folder else _real(folder)  # noqa: PTH120


def _is_below(place: str, folders: Iterable[str]) -> bool:
    return any(place == folder or place.startswith(f"{folder}{os.sep}") for folder in folders)


def _installed_below(roots: Collection[str]) -> Iterable[str]:
    """Where packages, the standard library, this package and pytest are, below *roots*."""
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    folders = [sysconfig.get_path(name) for name in names]
    folders += site.getsitepackages()
    folders += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    modules = (sys.modules[__package__], sys.modules.get("pytest"))
    folders += [str(Path(m.__file__).parents[1]) for m in modules if m and m.__file__]
    for folder in {*folders, *map(os.path.realpath, folders)}:
        if _is_below(folder, roots) and folder not in roots:
            yield folder


def _in_user_site() -> bool:
    folder = site.getusersitepackages() if site.ENABLE_USER_SITE else None
    return folder is not None and Path(__file__).is_relative_to(folder)
