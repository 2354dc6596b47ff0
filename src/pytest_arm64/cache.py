"""Small JSON records in the user's cache folder; a record that cannot be read is absent."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

# JSON as a whole; the checksum is that of the record as it is written.
_FRAME = '{{"sha256":"{}","record":{}}}'


def _checksum(content: str) -> str:
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


def cache_folder() -> Path:
    """The user's cache folder for this product, not created."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("pytest-arm64", appauthor=False))


def digest(value: Any) -> str:
    """Hexadecimal SHA-256 of *value* as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load(kind: str, key: str) -> dict[str, Any] | None:
    """The record *key* of *kind*, None where there is none, or not the one that was written."""
    try:
        text = (cache_folder() / kind / f"{key}.json").read_text("utf-8")
        content = text[len(_FRAME.format("0" * 64, "")) - 1 : -1]
        if text != _FRAME.format(_checksum(content), content):
            return None
        value = json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def store(kind: str, key: str, value: dict[str, Any]) -> None:
    """Keep *value*; written beside and moved into place, so that no reader sees half of it.

    A cache that cannot be written (a read-only home, a full disk) costs time, never the run.
    """
    folder = cache_folder() / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    except OSError:
        return
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            # Not json.dump: it writes token by token.
            content = json.dumps(value)
            stream.write(_FRAME.format(_checksum(content), content))
        temporary.replace(folder / f"{key}.json")
    except OSError:
        temporary.unlink(missing_ok=True)
