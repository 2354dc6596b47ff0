"""Extension modules that another Python than the target's looks for, by their names.

``_x.cpython-312-aarch64-linux-gnu.so`` is found by CPython 3.12 alone, whatever is in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .filetree import FileTree
from .packages import owners
from .record import OTHER_PYTHON, AbiFinding

# Source: sysconfig's EXT_SUFFIX, PEP 3149 and, for free-threaded builds, PEP 703.
_NAME = re.compile(
    r"(?:.*/)?([^/.]+)(?:\.cpython-(\d)(\d{1,2})(t?)d?-[^/]*|\.abi3)?\.so\Z", re.DOTALL
)


def other_pythons(tree: FileTree, root: str, machine: str, python: str) -> Iterator[AbiFinding]:
    """One finding for each package with a module for *machine* that *python* does not look for.

    *python* is a minor, ``3.12``. Files of no known package count as one.
    """
    packages = owners(tree)
    pythons: dict[tuple[str, str], set[str]] = {}
    paths: dict[tuple[str, str], str] = {}
    for path, compiled in sorted(tree.files.items()):
        named = _NAME.match(path)
        if named is not None and compiled.elf is not None and compiled.elf.machine == machine:
            module, major, minor, free = named.groups()
            owner = packages.get(path)
            key = (owner.name if owner is not None else "", module)
            pythons.setdefault(key, set()).add(f"{major}.{minor}{free}" if major else python)
            paths.setdefault(key, path)
    told = set()
    for key, path in paths.items():
        package, _ = key
        if python in pythons[key] or package in told:
            continue
        told.add(package)
        others = ", ".join(sorted(pythons[key]))
        yield AbiFinding(
            path.removeprefix(root.rstrip("/") + "/"),
            OTHER_PYTHON,
            f"only Python {others} can import it, and the target has {python}",
            grave=True,
            package=package,
            remedy=f"take the file for Python {python}",
        )
