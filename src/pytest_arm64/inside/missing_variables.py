"""Which environment variables were asked for in vain, so that a failure can name them."""

from __future__ import annotations

import os
import sys
from typing import Any

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
        self._data = _Telling()

    def watch(self) -> None:
        """Have ``os.environ`` tell what it does not have.

        Its dictionary is replaced, not its methods: whoever asks sees no frame more than before.
        """
        environ: Any = os.environ
        self._data = _Telling(environ._data)
        self._data.tell = self._missed
        environ._data = os.environb._data = self._data  # type: ignore[attr-defined]

    def _missed(self, key: bytes) -> None:
        name = os.fsdecode(key)
        if name in _COMMON or name.startswith(_COMMON_PREFIXES):
            return
        frame: Any = sys._getframe(2)
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
        below = os.path.join(root, "")
        return sorted(
            name
            for name, reader in self._ever.items()
            if os.fsencode(name) not in self._data
            and (name in self._lately or (reader.startswith(below) and not _installed(reader)))
        )


def _installed(path: str) -> bool:
    return "site-packages" in path


class _Telling(dict):  # type: ignore[type-arg]
    tell: Any = None

    def __missing__(self, key: Any) -> Any:
        self.tell(key)
        raise KeyError(key)
