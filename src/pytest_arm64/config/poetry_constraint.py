"""Poetry's own way to limit versions (``^1.2``, ``~1.2``), as specifiers."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version


def poetry_specifier(text: str) -> SpecifierSet:
    """Poetry's constraint as a specifier set; ``||`` and what is not understood limit nothing."""
    parts = [part.strip() for part in text.split(",")] if "||" not in text else []
    specifiers = []
    for part in parts:
        if part.startswith("^"):
            specifiers.append(_caret(part[1:].strip()))
        elif part.startswith("~") and not part.startswith("~="):
            specifiers.append(_tilde(part[1:].strip()))
        elif part and part != "*":
            specifiers.append(part if part[0] in "<>=!~" else f"=={part}")
    try:
        return SpecifierSet(",".join(filter(None, specifiers)))
    except ValueError:
        return SpecifierSet()


def _caret(text: str) -> str:
    """Up to the next change of the leftmost part that is not zero."""
    release = _release(text)
    if not release:
        return ""
    place = next((i for i, part in enumerate(release) if part), len(release) - 1)
    return f">={text},<{_bumped(release, place)}"


def _tilde(text: str) -> str:
    """Up to the next minor, or major where only that is given."""
    release = _release(text)
    return f">={text},<{_bumped(release, min(1, len(release) - 1))}" if release else ""


def _bumped(release: tuple[int, ...], place: int) -> str:
    return ".".join(map(str, (*release[:place], release[place] + 1)))


def _release(text: str) -> tuple[int, ...]:
    try:
        return Version(text).release
    except ValueError:
        return ()
