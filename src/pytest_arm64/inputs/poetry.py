"""Poetry's own way to write requirements, in ``pyproject.toml`` and in its lock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from packaging.utils import canonicalize_name

from ..config.poetry_constraint import poetry_specifier
from ..index.addresses import git_address
from .reading import Table, strings, table


def poetry_requirements(poetry: Table, *keys: str) -> Iterator[tuple[str, str]]:
    """Requirements of the table that *keys* lead to, each after its key."""
    for name, value in table(poetry, *keys).items():
        if name.lower() == "python":
            continue
        for entry in _entries(value):
            if not (isinstance(entry, dict) and entry.get("optional")):
                yield name, poetry_requirement(name, entry)


def poetry_extra(poetry: Table, extra: str) -> Iterator[tuple[str, str]] | None:
    """Requirements of *extra* of the project itself, each after its key; None without that."""
    extras = {canonicalize_name(name): names for name, names in table(poetry, "extras").items()}
    if canonicalize_name(extra) not in extras:
        return None
    listed = table(poetry, "dependencies")
    return (
        (name, poetry_requirement(name, entry))
        for name in strings(extras[canonicalize_name(extra)])
        for entry in _entries(listed.get(name, "*"))
    )


def poetry_paths(poetry: Table) -> Iterator[tuple[str, str, bool]]:
    """Names, paths and whether they are editable of what is named by path."""
    groups = (table(group, "dependencies") for group in table(poetry, "group").values())
    for listed in (table(poetry, "dependencies"), table(poetry, "dev-dependencies"), *groups):
        for name, value in listed.items():
            for entry in _entries(value):
                path = _word(entry, "path") if isinstance(entry, dict) else ""
                if path:
                    yield name, path, entry.get("develop") is True


def standardised(data: Table) -> Table:
    """A ``pyproject.toml`` with ``[project]``, made of Poetry's tables where these stand for it.

    Its dependencies count as dynamic where one of them is a path, or has a constraint that no
    specifier says.
    """
    poetry = table(data, "tool", "poetry")
    if "project" in data or not isinstance(poetry.get("name"), str):
        return data
    listed = table(poetry, "dependencies")
    needed = (value for name, value in listed.items() if name.lower() != "python")
    certain = all(_is_certain(entry) for value in needed for entry in _entries(value))
    project = {
        "name": poetry["name"],
        "version": str(poetry.get("version", "")),
        "dynamic": [] if certain else ["dependencies"],
        "dependencies": [text for _, text in poetry_requirements(poetry, "dependencies")],
        "optional-dependencies": {
            extra: [
                poetry_requirement(name, entry)
                for name in strings(names)
                for entry in _entries(listed.get(name, []))
            ]
            for extra, names in table(poetry, "extras").items()
        },
    }
    return {**data, "project": project}


def _is_certain(entry: Any) -> bool:
    """Whether ``poetry_requirement`` says all that *entry* does."""
    if not isinstance(entry, dict):
        return _is_understood(str(entry))
    if "path" in entry:
        return False
    return all(_is_understood(_word(entry, key)) for key in ("version", "python"))


def _is_understood(constraint: str) -> bool:
    return constraint in ("", "*") or bool(poetry_specifier(constraint))


def poetry_group(poetry: Table, name: str) -> Iterator[str]:
    """Requirements of Poetry's own group *name*, less what it names by a path."""
    listed: dict[str, object] = {}
    for spelled in table(poetry, "group"):
        if canonicalize_name(spelled) == name:
            listed |= table(poetry, "group", spelled, "dependencies")
    if name == "dev":
        listed |= table(poetry, "dev-dependencies")
    from_index = {
        package: value
        for package, value in listed.items()
        if not any(isinstance(e, dict) and "path" in e for e in _entries(value))
    }
    yield from (text for _, text in poetry_requirements({"kept": from_index}, "kept"))


def _entries(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def poetry_requirement(name: str, entry: object) -> str:
    """One entry as a PEP 508 requirement; what has no version is without limit."""
    if not isinstance(entry, dict):
        return f"{name}{poetry_specifier(str(entry))}"
    extras = strings(entry.get("extras"))
    head = f"{name}[{','.join(extras)}]" if extras else name
    markers = [f"({m})" for m in (_word(entry, "markers"), _python(_word(entry, "python"))) if m]
    platform = _word(entry, "platform")
    if platform:
        markers.append(f"sys_platform == '{platform}'")
    marker = f" ; {' and '.join(markers)}" if markers else ""
    address = _word(entry, "url")
    if _word(entry, "git"):
        revision = next((w for w in (_word(entry, k) for k in ("rev", "tag", "branch")) if w), "")
        address = git_address(_word(entry, "git"), revision, _word(entry, "subdirectory"))
    if address:
        return f"{head} @ {address}{marker}"
    return f"{head}{poetry_specifier(_word(entry, 'version'))}{marker}"


def _python(text: str) -> str:
    """A limit on Python as a marker."""
    return " and ".join(
        f"python_version {m[1]} '{m[2]}'"
        for m in (re.match(r"(\D+?)\s*(\d[\w.]*)\Z", str(s)) for s in poetry_specifier(text))
        if m
    )


def _word(entry: Table, key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
