"""Projects that are named by a repository, read as those in folders are."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable
from dataclasses import replace

from packaging.utils import canonicalize_name

from ..config._toml import TOMLDecodeError, loads
from ..errors import SettingsError
from ..index.addresses import git_address, shown
from ..index.fetch import FetchError
from ..index.metadata import Metadata
from ..index.repositories import Checkout, GitReference, Repositories, reference_of
from ..index.simple import SDIST, IndexFile
from ..inputs.project import build_may_compile, described
from ..inputs.reading import table
from ..inputs.requirements import LocalProject

_DETAIL = "built from a repository: whether it compiles code is only known after the build"


def repository_project(
    name: str,
    address: str,
    repositories: Repositories,
    ask: Callable[[str, IndexFile], Metadata | None],
) -> LocalProject | None:
    """The project *name* in the repository *address*; None where that names no git repository.

    Args:
        name: what it is asked for by.
        address: as pip spells it.
        repositories: gives its files.
        ask: tells what only a build can tell of sources.

    Raises:
        FetchError: it cannot be had, or is no such project.
    """
    reference = reference_of(address)
    if reference is None:
        return None
    checkout = repositories.checkout(name, reference)
    project = _described(name, reference, checkout)
    file = archive_of(project.name, project.version, reference, checkout)
    if project.doubt:
        metadata = ask(project.name, file)
        if metadata is not None and not metadata.doubt:
            project = replace(project, requires=metadata.requires, doubt="")
    return replace(project, archive=file)


def archive_of(name: str, version: str, reference: GitReference, checkout: Checkout) -> IndexFile:
    """The archive of *checkout* as a source distribution, *version* empty where none is written."""
    folder = urllib.parse.quote(reference.subdirectory)
    fragment = f"#subdirectory={folder}" if folder else ""
    return IndexFile(
        name=f"{name}-{version or '0'}.tar.gz",
        url=f"{checkout.archive.as_uri()}{fragment}",
        kind=SDIST,
        version=version,
        sha256=checkout.sha256,
    )


def _described(name: str, reference: GitReference, checkout: Checkout) -> LocalProject:
    place = shown(reference.url)
    uri = git_address(place, checkout.commit, reference.subdirectory)
    try:
        data = loads(checkout.manifest)
        project = described(
            data,
            f"{place}: pyproject.toml",
            shown=place,
            native=build_may_compile(data, has_setup=checkout.has_setup),
            uri=uri,
        )
    except (TOMLDecodeError, RecursionError, SettingsError) as error:
        raise FetchError(f"{place}: its pyproject.toml cannot be read: {error}") from None
    if not table(data, "project"):
        doubt = "its dependencies are not declared statically: they are only known after a build"
        project = replace(project, name=name, native=True, doubt=doubt)
    if project.name != canonicalize_name(name):
        raise FetchError(f"{place} holds the project {project.name!r}: ask for it by this name")
    return replace(project, detail=_DETAIL)
