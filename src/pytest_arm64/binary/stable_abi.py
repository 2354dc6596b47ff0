"""Modules that use more of CPython than the ``abi3`` tag of their wheel promises.

The rules are those of abi3audit: what a module takes from CPython has to be in the limited API of
the Python that the tag names. The lists of CPython are those of abi3info, an optional package.
Only what the loader must find counts: undefined symbols that are not weak.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from .confirm import Reread
from .elf import Buffer
from .filetree import FileTree
from .packages import OwningPackage, owners
from .record import WHEEL_TAG, AbiFinding

_TAG = re.compile(r"cp3(\d{1,2})-abi3-")
_SHOWN = 8


def beyond_stable_abi(
    tree: FileTree, root: str, machine: str, reread: Reread
) -> Iterator[AbiFinding]:
    """One finding for each package whose modules for *machine* use more than its tag promises.

    Without abi3info nothing is found.
    """
    promised = _promised(tree, machine)
    added = _added() if promised else None
    if added is None:
        return
    used: dict[str, set[str]] = {}

    def look(path: str, data: Buffer) -> None:
        from .second_reader import undefined_names

        used[path] = {name for name in undefined_names(data) if name.startswith(("Py", "_Py"))}

    reread(look, promised.keys())
    packages: dict[str, tuple[str, OwningPackage, int, set[str]]] = {}
    for path in sorted(used.keys() & promised.keys()):
        owner, minor = promised[path]
        packages.setdefault(owner.name, (path, owner, minor, set()))[3].update(used[path])
    for path, owner, minor, names in packages.values():
        shown = path.removeprefix(root.rstrip("/") + "/")
        yield from _judged(shown, owner.name, minor, names, added)


def _promised(tree: FileTree, machine: str) -> dict[str, tuple[OwningPackage, int]]:
    """By path of each module: its package, and the minor of the Python that its tag names."""
    packages = owners(tree)
    promised = {}
    for path, compiled in tree.files.items():
        owner = packages.get(path)
        if owner is None or compiled.elf is None or compiled.elf.machine != machine:
            continue
        name = path.rpartition("/")[2]
        minors = [int(match[1]) for tag in owner.tags if (match := _TAG.match(tag))]
        if minors and name.endswith(".so") and ".cpython-" not in name:
            promised[path] = owner, max(minors)
    return promised


@cache
def _added() -> Mapping[str, tuple[int, int]] | None:
    """Since which Python each name is in the limited API; None where that is not known."""
    try:
        from abi3info import DATAS, FUNCTIONS
    except ImportError:
        return None
    return {
        str(symbol.name): (int(entry.added.major), int(entry.added.minor))
        for table in (FUNCTIONS, DATAS)
        for symbol, entry in table.items()
    }


def _judged(
    path: str, package: str, minor: int, names: set[str], added: Mapping[str, tuple[int, int]]
) -> Iterator[AbiFinding]:
    foreign = sorted(name for name in names if name not in added)
    later = {name: added[name] for name in names & added.keys() if added[name] > (3, minor)}
    tag = f"cp3{minor}-abi3"
    if foreign:
        yield AbiFinding(
            path,
            WHEEL_TAG,
            f"its wheel's tag is {tag}, and it uses what is not in the stable ABI: another Python "
            "may lack it",
            grave=False,
            package=package,
            symbols=tuple(foreign[:_SHOWN]),
            remedy="its true tag is that of one Python: tell its publisher",
        )
    if later:
        newest = max(later.values())
        names_shown = sorted(later, key=lambda name: (later[name], name), reverse=True)
        yield AbiFinding(
            path,
            WHEEL_TAG,
            f"its wheel's tag is {tag}, and it uses what is in the stable ABI since Python "
            f"{newest[0]}.{newest[1]}",
            grave=False,
            package=package,
            symbols=tuple(names_shown[:_SHOWN]),
            remedy=f"the true tag is cp{newest[0]}{newest[1]}-abi3: tell its publisher",
        )
