"""What source distributions hold: read as they arrive, nothing of them is run, cached by hash."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from .. import cache
from ..config.toml_files import TomlFiles
from ..errors import SettingsError
from ..index.archives import ArchiveError
from ..index.fetch import FetchError
from ..index.index import Index
from ..index.metadata import Metadata, parse_requirement
from ..index.remote_metadata import sdist_content
from ..index.simple import IndexFile
from ..inputs.declared import declared_project
from ..inputs.reading import Reading, strings, table
from ..inputs.setup_values import with_marker
from ..temporary import temporary_folder
from .sdist_rules import UNCLEAR, Gathered, SdistBuild, build_of, judged

RULES = 4
"""Counts up when the same files would be judged differently."""
_KIND = "sdist-contents"
_MAXIMUM_UNPACKED = 128 * 2**20
_AFTER_PROOF = 16 * 2**20
"""Bytes that are read on after the first file that has to be compiled, for the build script."""
_MAXIMUM_TEXT = 2**18
_MAXIMUM_TEXTS = 200
_BUILD_FILES = frozenset(["setup.py", "setup.cfg", "pyproject.toml", "PKG-INFO"])
_TEXT = re.compile(
    r"[\w.-]{1,100}\.(?:py|txt|in|cfg|toml)|requirements/[\w.-]{1,100}\.(?:txt|in)"
    r"|(?:src/|lib/)?[\w.-]{1,100}\.egg-info/requires\.txt"
)


@dataclass(frozen=True)
class SdistContents:
    """One source distribution."""

    verdict: str
    """``pure``, ``optional``, ``native`` or ``unclear``: what its build compiles."""
    proof: str = ""
    """What shows it; empty for a pure one."""
    requires: tuple[str, ...] | None = None
    """Its dependencies, where they are written down; None where they are computed."""
    script: bool = False
    """Whether it has a ``setup.py``, which was read and not run."""


class SdistReader:
    """Reads source distributions of one index, each once."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._read: dict[str, SdistContents | None] = {}

    def contents(self, project: str, file: IndexFile) -> SdistContents | None:
        """What *file* of *project* holds; None where it cannot be had or read."""
        key = cache.digest([RULES, project, file.name, file.sha256 or file.url])
        if key not in self._read:
            self._read[key] = self._cached(project, file, key)
        return self._read[key]

    def metadata(self, project: str, file: IndexFile, known: Metadata) -> Metadata | None:
        """*known* with the dependencies that the files of *file* state; None where they do not."""
        contents = self.contents(project, file)
        if contents is None or contents.requires is None:
            return None
        return replace(known, requires=contents.requires, doubt="")

    def _cached(self, project: str, file: IndexFile, key: str) -> SdistContents | None:
        record = cache.load(_KIND, key) if file.sha256 else None
        contents = _from_record(record) if record is not None else None
        if contents is None:
            try:
                gathered = _gathered(self._index, project, file)
            except (ArchiveError, FetchError, OSError):
                return None
            contents = contents_of(gathered)
            if file.sha256:
                cache.store(_KIND, key, asdict(contents))
        return contents


def _from_record(record: Mapping[str, object]) -> SdistContents | None:
    requires = record.get("requires")
    listed = tuple(strings(requires)) if isinstance(requires, list) else None
    verdict, proof, script = (record.get(key) for key in ("verdict", "proof", "script"))
    if isinstance(verdict, str) and isinstance(proof, str) and isinstance(script, bool):
        return SdistContents(verdict, proof, listed, script)
    return None


def _gathered(index: Index, project: str, file: IndexFile) -> Gathered:
    """The files of *file*, as far as they have to be read.

    Raises:
        ArchiveError: it is broken, or too large.
        FetchError: it cannot be had.
    """
    gathered = Gathered()
    after = 0
    with sdist_content(index.fetcher, project, file, limit=_MAXIMUM_UNPACKED) as members:
        for member in members:
            path = _below(file.subdirectory, member.path)
            if path is None:
                continue
            gathered.see(path, member.start)
            if path in _BUILD_FILES or (
                _TEXT.fullmatch(path)
                and member.size <= _MAXIMUM_TEXT
                and len(gathered.texts) < _MAXIMUM_TEXTS
            ):
                gathered.texts[path] = member.read()
            after += member.size if gathered.source else 0
            if after > _AFTER_PROOF:
                gathered.whole = False
                break
    return gathered


def _below(subdirectory: str, path: str) -> str | None:
    if not subdirectory:
        return path
    prefix = subdirectory.strip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else None


def contents_of(gathered: Gathered) -> SdistContents:
    """What the files of a source distribution say of its build and its dependencies."""
    build = build_of(gathered)
    verdict, proof = judged(gathered, build)
    if build is None:
        return SdistContents(UNCLEAR, proof)
    script = build.script is not None
    return SdistContents(verdict, proof[:300], _stated(gathered, build), script)


def _stated(gathered: Gathered, build: SdistBuild) -> tuple[str, ...] | None:
    """The dependencies that its files state; None where none does."""
    if not gathered.whole:
        return None  # the file that states them may be among the rest
    if build.is_static:
        return _of_metadata(gathered)
    declared = _declared(gathered, build) if not build.in_tree else None
    if declared is not None:
        return declared
    # What a script computes from its own files was the same where the distribution was made.
    if build.script is not None and build.script.describes_project and build.script.repeatable:
        return _of_egg_info(gathered)
    return None


def _of_metadata(gathered: Gathered) -> tuple[str, ...] | None:
    from packaging.metadata import parse_email

    content = gathered.text("PKG-INFO")
    raw, unparsed = parse_email(content) if content is not None else ({}, {"requires-dist": []})
    if "requires-dist" in unparsed:
        return None
    requires = tuple(" ".join(text.split()) for text in raw.get("requires_dist", ()))
    return requires if all(parse_requirement(text) for text in requires) else None


def _declared(gathered: Gathered, build: SdistBuild) -> tuple[str, ...] | None:
    """What a reader of the unpacked project would say; the same one as for local projects."""
    with temporary_folder() as folder:
        for path, content in gathered.texts.items():
            if ".egg-info/" not in path:
                place = folder / path
                place.parent.mkdir(exist_ok=True)
                place.write_bytes(content)
        try:
            declared = declared_project(folder, build.data, Reading(folder, {}, toml=TomlFiles()))
        except (SettingsError, OSError, ValueError):
            return None
    project = table(declared.data, "project")
    dynamic = "dependencies" in strings(project.get("dynamic")) or declared.computed_extras
    if not project or dynamic:
        return None
    extras = table(project, "optional-dependencies")
    return _with_extras(
        [("", text) for text in strings(project.get("dependencies"))]
        + [(extra, text) for extra, texts in extras.items() for text in strings(texts)]
    )


def _of_egg_info(gathered: Gathered) -> tuple[str, ...] | None:
    """What setuptools wrote when the distribution was made."""
    content = next((c for p, c in gathered.texts.items() if p.endswith("requires.txt")), b"")
    if not any(top.endswith(".egg-info") for top in gathered.tops) and not content:
        return None
    extra = marker = ""
    stated: list[tuple[str, str]] = []
    for line in content.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text.startswith("[") and text.endswith("]"):
            extra, _, marker = text[1:-1].partition(":")
        elif text:
            try:
                stated.append((extra, with_marker(text, marker)))
            except (ValueError, RecursionError):
                return None
    return _with_extras(stated)


def _with_extras(stated: list[tuple[str, str]]) -> tuple[str, ...] | None:
    """Requirements, each with its extra as a marker; None where one is not valid."""
    try:
        texts = [with_marker(t, f"extra == {e!r}" if e else "") for e, t in stated]
    except (ValueError, RecursionError):
        return None
    return tuple(texts) if all(parse_requirement(text) for text in texts) else None
