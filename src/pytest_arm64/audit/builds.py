"""What is known of builds of source distributions: read, or seen in earlier builds; never run."""

from __future__ import annotations

from dataclasses import asdict

from packaging.requirements import Requirement

from .. import cache
from ..config._toml import TOMLDecodeError, loads
from ..index.archives import AbsentError, ArchiveError
from ..index.fetch import FetchError
from ..index.index import Index
from ..index.metadata import Metadata, requirement_of
from ..index.remote_metadata import read_sdist_member
from ..index.simple import IndexFile
from ..inputs.reading import strings, table

# What an installer assumes of a project without [build-system]; source: PEP 518.
DEFAULT = ("setuptools>=40.8.0",)
_REQUIREMENTS = "build-requirements"
_BUILT = "built-metadata"


class BuildsError(Exception):
    """A source distribution's build requirements cannot be had; the text says why."""


def build_requirements(index: Index, project: str, file: IndexFile) -> tuple[Requirement, ...]:
    """``[build-system] requires`` of the source distribution *file*.

    Raises:
        BuildsError: it cannot be read, or they are no requirements.
    """
    key = cache.digest([project, file.name, file.sha256]) if file.sha256 else ""
    record = cache.load(_REQUIREMENTS, key) if key else None
    texts = record.get("requires") if record is not None else None
    if not isinstance(texts, list):
        texts = _read(index, project, file)
        if key:
            cache.store(_REQUIREMENTS, key, {"requires": texts})
    try:
        return tuple(requirement_of(str(text)) for text in texts)
    except (ValueError, RecursionError):
        raise BuildsError(f"{file.name}: its build requirements are not valid") from None


def _read(index: Index, project: str, file: IndexFile) -> list[str]:
    try:
        wanted = "/".join(filter(None, [file.subdirectory, "pyproject.toml"]))
        content = read_sdist_member(index.fetcher, project, file, wanted)
        data = loads(content.decode("utf-8"))
    except AbsentError:
        return list(DEFAULT)
    except (ArchiveError, FetchError, OSError, UnicodeDecodeError, TOMLDecodeError) as error:
        raise BuildsError(f"{file.name}: {error}") from None
    except RecursionError:
        raise BuildsError(f"{file.name}: its pyproject.toml is nested too deeply") from None
    system = table(data, "build-system")
    return strings(system["requires"]) if "requires" in system else list(DEFAULT)


def keep_built_metadata(file: IndexFile, machine: str, python: str, metadata: Metadata) -> None:
    """Keep *metadata* of the wheel that *file* became on *machine* for *python* (``3.12``).

    Only for these: on another machine it may depend on other packages.
    """
    if file.sha256:
        cache.store(_BUILT, _key(file, machine, python), asdict(metadata))


def kept_built_metadata(file: IndexFile, machine: str, python: str) -> Metadata | None:
    """What was kept of *file*; None where nothing was, or nothing that can be read."""
    record = cache.load(_BUILT, _key(file, machine, python)) if file.sha256 else None
    if record is None:
        return None
    requires, wanted = record.get("requires"), record.get("requires_python")
    if not isinstance(requires, list) or not isinstance(wanted, str):
        return None
    return Metadata(tuple(map(str, requires)), wanted)


def _key(file: IndexFile, machine: str, python: str) -> str:
    return cache.digest([file.sha256, machine, python])
