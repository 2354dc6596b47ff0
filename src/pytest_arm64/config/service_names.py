"""What services are called."""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain, count
from typing import TypeGuard

from .project_files import ProjectFiles

REPOSITORY = "repository"
"""Another name of the project itself: the one that it had before it was called by its own."""


def own_name(files: ProjectFiles, taken: Collection[str] = ()) -> str:
    """What the project itself is called, as a service: by ``[project] name``, else its folder."""
    names = (files.metadata.get("name"), files.rootpath.name, REPOSITORY)
    numbered = (f"{REPOSITORY}-{number}" for number in count(2))
    return next(
        name for name in chain(names, numbered) if is_service_name(name) and name not in taken
    )


def is_service_name(name: object) -> TypeGuard[str]:
    """Whether a service can be called so: its gates are ``arm64::NAME::…``."""
    return isinstance(name, str) and bool(name.strip()) and "::" not in name
