"""What the readers of a service's files share: what was found so far, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from ..config.boundary import check_inside
from ..config.toml_files import TomlFiles
from ..errors import SettingsError
from ..index.addresses import file_path, masked
from ..index.metadata import requirement_of
from .formats import Formats
from .requirements import LocalProject, RequirementSet, SourcedRequirement

AS_PIP_READS = "write it as pip reads it: NAME, NAME==1.0 or NAME @ URL"
"""What to do about a line that is not a requirement."""
Table = Mapping[str, object]
"""A table of a TOML document."""


@dataclass
class Reading:
    """Everything that a service's files have said so far."""

    root: Path
    """Origins are told relative to it."""
    environ: Mapping[str, str]
    requirements: list[tuple[Requirement, SourcedRequirement]] = field(default_factory=list)
    constraints: list[tuple[Requirement, SourcedRequirement]] = field(default_factory=list)
    locals: dict[str, LocalProject] = field(default_factory=dict)
    overrides: list[Requirement] = field(default_factory=list)
    """What replaces each demand on the same project."""
    gaps: list[str] = field(default_factory=list)
    index: str = ""
    extra_indexes: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    no_index: bool = False
    prereleases: bool = False
    formats: Formats = field(default_factory=Formats)
    seen: set[tuple[Path, bool]] = field(default_factory=set)
    toml: TomlFiles = field(default_factory=TomlFiles)
    """The TOML files of the run; each is read once."""

    def origin(self, path: Path, line: int = 0) -> str:
        """*path* as it is told, with its line."""
        relative = os.path.relpath(path, self.root).replace(os.sep, "/")
        return f"{relative}:{line}" if line else relative

    def check(self, url: str, naming: Path, line: int = 0) -> None:
        """Check that the address *url*, named in the file *naming*, does not lead outside.

        Raises:
            SettingsError: it is a file of this machine outside the repository.
        """
        if url.startswith("file:"):
            check_inside(file_path(url), naming, self.root, self.origin(naming, line))

    def requirement_set(self, service: str) -> RequirementSet:
        """What was found, frozen."""
        return RequirementSet(
            service=service,
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            overrides=tuple(self.overrides),
            locals=tuple(self.locals.values()),
            index=self.index,
            extra_indexes=tuple(self.extra_indexes),
            links=tuple(self.links),
            no_index=self.no_index,
            prereleases=self.prereleases,
            formats=self.formats,
            gaps=tuple(self.gaps),
        )


def table(parent: object, *keys: str) -> Table:
    """The table that *keys* lead to; empty where there is none."""
    for key in keys:
        parent = parent.get(key) if isinstance(parent, dict) else None
    return parent if isinstance(parent, dict) else {}


def tables(value: object) -> list[Table]:
    """The tables of an array; what is none is left out."""
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def strings(value: object) -> list[str]:
    """The strings of an array, or a lone one; what is none is left out."""
    if isinstance(value, str):
        return [value]
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def requirement(text: str, where: str) -> Requirement:
    """*text* as a requirement.

    Raises:
        SettingsError: it is none; *where* it stands is told.
    """
    try:
        return requirement_of(text)
    except (ValueError, RecursionError) as error:
        why = masked((str(error).splitlines() or [""])[0])[:200]
        raise SettingsError(
            f"{where}: {masked(text)[:200]!r} is not a requirement",
            why=why,
            next_step=AS_PIP_READS,
        ) from None


class Lines:
    """Where in a TOML document something stands: its parser does not tell."""

    def __init__(self, text: str) -> None:
        self._text = text

    def stating(self, requirement: str) -> int:
        """Line of a *requirement*, in its own spelling or by its name; else 0."""
        return self.of(requirement) or self.naming(requirement)

    def of(self, value: str) -> int:
        """Line of the first string that is *value*, 0 where it is not found."""
        for quote in ('"', "'"):
            position = self._text.find(f"{quote}{value}{quote}")
            if position >= 0:
                return self._text.count("\n", 0, position) + 1
        return 0

    def naming(self, requirement: str) -> int:
        """Line of the first string that begins with the project of *requirement*, else 0."""
        name = re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0]
        spelled = "[-_.]+".join(map(re.escape, re.split(r"[-_.]+", name)))
        first = re.search(rf"[\"']{spelled}(?![A-Za-z0-9._-])", self._text, re.IGNORECASE)
        return self._text.count("\n", 0, first.start()) + 1 if first else 0

    def key(self, name: str) -> int:
        """Line of the first key *name*, 0 where there is none."""
        spelled = f"[\"']?{re.escape(name)}[\"']?"
        first = re.search(rf"^[ \t]*{spelled}[ \t]*=", self._text, re.MULTILINE)
        return self._text.count("\n", 0, first.start()) + 1 if first else 0

    def starting(self, prefix: str) -> Iterator[int]:
        """Numbers of the lines that begin with *prefix*, in order."""
        return (
            number
            for number, line in enumerate(self._text.splitlines(), 1)
            if line.startswith(prefix)
        )
