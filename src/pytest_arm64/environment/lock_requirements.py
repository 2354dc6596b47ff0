"""A lock as requirements with hashes: what pip is given where it installs what a lock decided."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..audit.locked import locked_tree
from ..audit.platform import Platform
from ..index.addresses import file_path
from ..index.simple import STRONG_HASHES, IndexFile
from ..inputs.lock import Lock
from ..inputs.requirements import Node
from .planned_scope import NotPlannableError


def lock_requirements(lock: Lock, platform: Platform, project: Path) -> str:
    """A requirement file, complete in itself, of what *platform* gets of *lock*.

    pip checks hashes of all or of none: where one thing has none, as a repository, all go without.

    Args:
        lock: decides what is deployed.
        platform: what it is for.
        project: the folder of the project itself, which is left out.

    Raises:
        NotPlannableError: the lock does not decide.
    """
    tree = locked_tree(lock, lock.deploy, platform)
    for problem in tree.problems:
        raise NotPlannableError(problem)
    lines = [line for node in tree.nodes.values() for line in _lines(lock, node, project)]
    hashed = all(hashes for _, hashes in lines)
    return "".join(f"{line}{_options(hashes) if hashed else ''}\n" for line, hashes in lines)


def _lines(lock: Lock, node: Node, project: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    local = lock.locals.get(node.name)
    if local is not None:
        if not local.uri.startswith("file:"):
            yield f"{node.name} @ {local.uri}", ()
        elif file_path(local.uri) != project:
            yield f"{'-e ' if local.editable else ''}{file_path(local.uri)}", ()
        return
    if node.version is None:
        raise NotPlannableError(f"{node.name}: {node.problem}")
    release = lock.release(node.name, node.version)
    files = release.files if release is not None else ()
    hashes = tuple(sorted(filter(None, map(_hash, files))))
    yield f"{node.name}=={node.version}", hashes


def _options(hashes: tuple[str, ...]) -> str:
    return "".join(f" --hash={value}" for value in hashes)


def _hash(file: IndexFile) -> str:
    """The hash of *file* as pip takes it; empty where it has none that pip accepts."""
    strong = file.other_hash.partition(":")[0] in STRONG_HASHES
    return f"sha256:{file.sha256}" if file.sha256 else file.other_hash if strong else ""
