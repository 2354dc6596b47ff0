"""What is said when a build starts: how much there is to compile, and how long it took before."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from .. import cache
from ..audit.weight import binary_size
from ..config.cell import ImageFacts
from ..index.archives import ArchiveError, SdistMember, sdist_members, sdist_members_of_zip
from .source_builds import Source

_KIND = "build-seconds"
_MAXIMUM_UNPACKED = 64 * 2**20
_LANGUAGES = {
    "C": (".c",),
    "C++": (".cc", ".cpp", ".cxx"),
    "Cython": (".pyx",),
    "Rust": (".rs",),
    "Fortran": (".f", ".f90", ".f95"),
}
_LANGUAGE = {suffix: name for name, suffixes in _LANGUAGES.items() for suffix in suffixes}


def build_notice(source: Source, ran: ImageFacts, compiler: str) -> str:
    """``building hnswlib 0.8.0 (36 KiB of C++, emulated; took 41 s here before)``.

    *compiler* is the cross compiler, empty where the builder's own compiles.
    """
    how = "native"
    if ran.emulated:
        how = f"emulated, with {compiler} as a cross compiler" if compiler else "emulated"
    facts = ", ".join(filter(None, [_sources(source), how]))
    seconds = _earlier(source, ran, compiler)
    took = f"took {seconds:.0f} s here before" if seconds else "not built here before"
    return f"building {source.label} ({facts}; {took})"


def remember_build(source: Source, ran: ImageFacts, compiler: str, seconds: float) -> None:
    """Note that *source* took *seconds* to build."""
    cache.store(_KIND, _key(source, ran, compiler), {"seconds": seconds})


def _earlier(source: Source, ran: ImageFacts, compiler: str) -> float:
    """Seconds that the last build took; 0 where there was none."""
    seconds = (cache.load(_KIND, _key(source, ran, compiler)) or {}).get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def _key(source: Source, ran: ImageFacts, compiler: str) -> str:
    # Of one release the sources differ by where they come from: a fork, a commit.
    what = source.package.sha256 or source.package.url
    return cache.digest([source.label, what, ran.machine, ran.emulated, compiler])


def _sources(source: Source) -> str:
    """How much there is in the languages that are compiled, the largest two; empty of a folder."""
    sizes: Counter[str] = Counter()
    with suppress(ArchiveError, OSError):
        for member in _members(source):
            language = _LANGUAGE.get(PurePosixPath(member.path).suffix.lower(), "")
            if language:
                sizes[language] += member.size
    return " and ".join(f"{binary_size(size)} of {name}" for name, size in sizes.most_common(2))


def _members(source: Source) -> Iterator[SdistMember]:
    path, name = source.path, source.package.name
    if path.is_dir():
        return
    zipped = zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        if zipped:
            yield from sdist_members_of_zip(stream, name)
        else:
            yield from sdist_members(stream, path.name, name, limit=_MAXIMUM_UNPACKED)
