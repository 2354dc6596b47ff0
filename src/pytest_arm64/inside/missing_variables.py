"""Which environment variables were asked for in vain, so that a failure can name them."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import FrameType
from typing import cast

from .bound_stdlib import originals

# Asked for by every other library, and no reason for a test to fail.
_COMMON = frozenset(
    [
        *("TERM", "COLUMNS", "LINES", "SHELL", "LANG", "LANGUAGE", "PWD", "OLDPWD", "TMPDIR"),
        *("TEMP", "TMP", "EDITOR", "VISUAL", "PAGER", "DISPLAY", "VIRTUAL_ENV", "LOGNAME"),
        *("NO_COLOR", "FORCE_COLOR", "PY_COLORS", "COLORTERM", "CI", "BUILD_NUMBER", "HOSTNAME"),
    ]
)
_COMMON_PREFIXES = ("LC_", "XDG_", "SSH_", "PYTHON", "PYTEST_", "PIP_", "COVERAGE_", "_")
# Between a reader and the dictionary.
_LOOKUPS = ("os.py", "_collections_abc.py", "<frozen os>", "<frozen _collections_abc>")


class MissedVariables:
    """Takes note from ``watch`` on."""

    def __init__(self) -> None:
        self._ever: dict[str, str] = {}
        self._lately: set[str] = set()
        self._data = _Observed()

    def watch(self) -> None:
        """Have ``os.environ`` report what it does not have.

        Its dictionary is replaced, not its methods: callers see no frame more than before.
        """
        self._data = _Observed(cast("dict[bytes, bytes]", vars(os.environ)["_data"]))
        self._data.missing = self._missed
        vars(os.environ)["_data"] = vars(os.environb)["_data"] = self._data

    def _missed(self, key: bytes) -> None:
        name = originals.fsdecode(key)
        if name in _COMMON or name.startswith(_COMMON_PREFIXES):
            return
        frame: FrameType | None = originals.getframe(2)
        while frame is not None and frame.f_code.co_filename.endswith(_LOOKUPS):
            frame = frame.f_back
        self._lately.add(name)
        self._ever[name] = frame.f_code.co_filename if frame is not None else ""

    def next_test(self) -> None:
        """Another test begins."""
        self._lately.clear()

    def names(self, root: str) -> list[str]:
        """Variables that may explain a failure that is reported now.

        That are those which this test has asked for, and those which code of the project below
        *root* has asked for at any time: at import, or in a fixture of many tests.
        """
        below = f"{root.rstrip('/')}/"
        return sorted(
            name
            for name, reader in self._ever.items()
            if originals.fsencode(name) not in self._data
            and (name in self._lately or (reader.startswith(below) and not _installed(reader)))
        )


def _installed(path: str) -> bool:
    return "site-packages" in path


class _Observed(dict[bytes, bytes]):
    missing: Callable[[bytes], None]

    def __missing__(self, key: bytes) -> bytes:
        self.missing(key)
        raise KeyError(key)
