"""What local projects depend on: as their files say it, or as their build back ends do (PEP 517).

Some files compute their dependencies. Nothing of a project runs on the host: the back end is asked
in the builder, where there is no network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from packaging.metadata import parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..audit.auditor import Auditor
from ..audit.index_candidates import IndexCandidates
from ..audit.platform import Platform
from ..errors import BuildError, InstallError
from ..index.addresses import file_path
from ..index.fetch import Fetcher
from ..index.metadata import requirement_of
from ..inputs.requirements import LocalProject, RequirementSet, Tree
from .failures import BUILD, Tools, classify, decisive_lines, next_step_for

_MAXIMUM_REQUIREMENTS = 5_000
# What a build says is not the repository's word on what to read on the host.
_LOCAL = re.compile(r"(?i)(\w+\+)?file:|(?!\w+(\+\w+)?:)")
_STATE_THEM = "list its dependencies in [project] of its pyproject.toml"


@dataclass(frozen=True)
class BuiltMetadata:
    """Core metadata that a build back end has written of a project."""

    name: str
    """Normalised."""
    version: str
    requires: tuple[Requirement, ...]
    extras: tuple[str, ...]

    def describe(self, local: LocalProject, platform: Platform) -> LocalProject:
        """*local* as it is on *platform*."""
        return replace(
            local,
            name=self.name,
            version=self.version,
            requires=tuple(self._called_for(platform)),
            extras=tuple(
                (extra, tuple(self._called_for(platform, extra))) for extra in self.extras
            ),
            doubt="",
        )

    def _called_for(self, platform: Platform, extra: str = "") -> Iterator[str]:
        """Requirements, without markers: those of *extra*, or those without any."""
        for requirement in self.requires:
            always = platform.calls_for(requirement)
            if always if not extra else not always and platform.calls_for(requirement, extra):
                unmarked = copy(requirement)
                unmarked.marker = None
                yield str(unmarked)


def metadata_in_answer(answer: bytes) -> bytes:
    """The core metadata in what the program in the builder wrote; empty where there are none."""
    try:
        texts = json.loads(answer)
    except (ValueError, RecursionError):
        return b""
    text = texts[0] if isinstance(texts, list) and texts else ""
    return text.encode("utf-8", "replace") if isinstance(text, str) else b""


def metadata_failure(shown: str, log: str, tools: Tools) -> InstallError:
    """The error of a back end that did not say what the project *shown* depends on."""
    failures = classify(log, tools)
    lines = "".join(f"\n    {line.strip()}" for line in decisive_lines(log))
    return BuildError(
        shown,
        "",
        what=f"the dependencies of {shown} are unknown: its build back end failed{lines}",
        kinds=tuple(dict.fromkeys(failure.kind for failure in failures)) or (BUILD,),
        excerpt="\n".join(decisive_lines(log)),
        why="its files compute them, and the back end did not say what they are (PEP 517)",
        next_step=next_step_for(failures) or _STATE_THEM,
        log=log,
    )


def parse_built_metadata(content: bytes, shown: str) -> BuiltMetadata:
    """The core metadata *content* of the project that is called *shown* in errors.

    Raises:
        InstallError: it is not valid, or names too many requirements.
    """
    raw, unparsed = parse_email(content)
    texts = raw.get("requires_dist", [])
    name = canonicalize_name(raw.get("name", ""))
    try:
        if not name or "requires-dist" in unparsed or len(texts) > _MAXIMUM_REQUIREMENTS:
            raise ValueError("it has no name, or not all requirements can be read")  # noqa: TRY301  (as those of Requirement)
        requires = tuple(requirement_of(" ".join(text.split())) for text in texts)
        if any(_LOCAL.match(wanted.url) for wanted in requires if wanted.url):
            raise ValueError("it names a file of the host")  # noqa: TRY301  (as above)
    except (ValueError, RecursionError) as error:
        raise InstallError(
            f"the metadata that the build back end of {shown} wrote is not valid",
            why=(str(error).splitlines() or [""])[0][:200],
            next_step=_STATE_THEM,
        ) from None
    extras = map(canonicalize_name, raw.get("provides_extra", []))
    return BuiltMetadata(name, raw.get("version", ""), requires, tuple(dict.fromkeys(extras)))


class ProjectSource(Protocol):
    """Asks the build back end of the project in a folder for its metadata.

    It gives None where the back end cannot be asked. Raises InstallError: it failed.
    """

    def __call__(
        self, auditor: Auditor, fetcher: Fetcher, folder: Path, /
    ) -> BuiltMetadata | None: ...


class Resolver:
    """Resolves what an environment needs, local projects included."""

    def __init__(
        self, auditor: Auditor, platform: Platform, ask: ProjectSource | None = None
    ) -> None:
        """Without *ask*, what a local project computes stays in doubt."""
        self._auditor = auditor
        self._platform = platform
        self._ask = ask
        self._described: dict[str, LocalProject] = {}
        """By address: projects in doubt, after their back ends were asked."""

    def __call__(self, requirement_set: RequirementSet) -> tuple[Tree, IndexCandidates]:
        """The tree of *requirement_set*; the back end is asked of what in it is in doubt."""
        while True:
            locals_ = [self._described.get(local.uri, local) for local in requirement_set.locals]
            requirement_set = replace(requirement_set, locals=tuple(locals_))
            index = self._auditor.index(requirement_set)
            tree, candidates = self._auditor.resolved(index, requirement_set, self._platform)
            in_doubt = [
                local for local in locals_ if local.name in tree.nodes and self._can_ask(local)
            ]
            if not in_doubt:
                return tree, candidates
            for local in in_doubt:
                self.described(local)

    def described(self, local: LocalProject) -> LocalProject:
        """*local*; where it is in doubt, as its back end describes it, if that can be asked."""
        if self._can_ask(local):
            assert self._ask is not None
            fetcher = self._auditor.index(RequirementSet("", ())).fetcher
            built = self._ask(self._auditor, fetcher, file_path(local.uri))
            described = built.describe(local, self._platform) if built is not None else local
            self._described[local.uri] = described
        return self._described.get(local.uri, local)

    def _can_ask(self, local: LocalProject) -> bool:
        return (
            self._ask is not None
            and bool(local.doubt)
            and local.uri.startswith("file:")
            and local.uri not in self._described
        )
