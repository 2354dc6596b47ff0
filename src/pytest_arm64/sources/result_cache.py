"""What was found in the files of a project before, by the hash of their content."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from .. import cache
from ..inputs.reading import strings, table
from ..records import decode, encode
from .findings import FileResult
from .rules import rules_fingerprint

_JUDGED = 4
"""Counts up when the same content would be judged differently by the same rules."""
_KIND = "code-results"
_NOTHING = FileResult()


class ResultCache:
    """The results of one project; those of contents that are gone are dropped."""

    def __init__(self, folder: Path) -> None:
        python = sys.version_info[:2]  # which syntax there is depends on it
        self._key = cache.digest([_JUDGED, rules_fingerprint(), python, str(folder)])
        self._earlier = _results(cache.load(_KIND, self._key) or {})
        self._current: dict[str, FileResult] = {}

    def get(self, content: str) -> FileResult | None:
        """What was found in the content with this hash; None where it was not read before."""
        result = self._current.get(content) or self._earlier.get(content)
        if result is not None:
            self._current[content] = result
        return result

    def put(self, content: str, result: FileResult) -> None:
        self._current[content] = result

    def save(self) -> None:
        """Write the results of this scan, where they differ from those of the one before."""
        if self._current != self._earlier:
            found = {key: encode(r) for key, r in self._current.items() if r != _NOTHING}
            clean = [key for key, result in self._current.items() if result == _NOTHING]
            cache.store(_KIND, self._key, {"clean": clean, "found": found})


def content_hash(source: bytes) -> str:
    """What *source* is remembered by."""
    return hashlib.sha256(source).hexdigest()[:40]


def _results(record: Mapping[str, object]) -> dict[str, FileResult]:
    results = dict.fromkeys(strings(record.get("clean")), _NOTHING)
    try:
        found = {key: decode(FileResult, data) for key, data in table(record, "found").items()}
    except ValueError:
        return {}
    return {**results, **found}
