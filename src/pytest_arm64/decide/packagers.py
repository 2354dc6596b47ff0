"""What tools that package functions on a machine of another kind take from an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import cast

from packaging.version import Version

from ..audit.auditor import Auditor
from ..audit.candidates import Candidates, LockCandidates
from ..audit.locked import locked_tree
from ..audit.matrix import BLOCKER, SOURCE, UNKNOWN, Row, WheelMatrix
from ..audit.platform import Platform, platform_of, platform_tags, ranked, tags_on, wheel_tags
from ..audit.usable_files import fit
from ..config._toml import loads
from ..config.targets import Target
from ..contents.packager_view import (
    ADDS,
    BUILT,
    FAILS,
    FOREIGN,
    KINDS,
    LACKS,
    OTHER_RELEASE,
    OTHER_WHEEL,
    PACKS_SLOW,
    PACKS_X86,
    REFUSED,
    SLOW,
    TAKEN,
    PackagedRelease,
    PackagerFinding,
    PackagerView,
)
from ..contents.sdist_rules import OPTIONAL, PURE, UNCLEAR
from ..errors import SettingsError
from ..index.simple import IndexFile
from ..inputs.formats import ALL
from ..inputs.lock import ARTIFACT
from ..inputs.reading import Table
from ..inputs.requirements import Node, Tree
from ..inputs.service import Service

_MARKERS, _RELEASES = "markers", "releases"
_OF_TARGET, _OF_HOST, _FALLBACK, _NONE = "target", "host", "fallback", "none"


@dataclass(frozen=True)
class Packager:
    """One tool; ``resources/packagers.toml`` says what its fields mean."""

    name: str
    tool: str
    date: str
    source: str
    command: str
    host: str
    sources: str
    tags: Table
    values: tuple[int, ...]
    fix: Mapping[str, str]

    def platforms(self, target: Target) -> tuple[str, ...] | None:
        """The platform tags that it takes for *target*; None for a Python that it does not know."""
        listed = _for_python(self.tags.get("platforms"), target.python)
        if isinstance(listed, list):
            return tuple(map(str, listed))
        glibc = _for_python(self.tags.get("glibc"), target.python)
        if not isinstance(glibc, str):
            return None
        major, _, minor = glibc.partition(".")
        return platform_tags("arm64", (int(major), int(minor)))


@cache
def _packagers() -> Mapping[str, Packager]:
    file = resources.files("pytest_arm64.resources").joinpath("packagers.toml")
    return {
        name: Packager(
            name,
            data["tool"],
            str(data["date"]),
            data["source"],
            data["command"],
            data.get("host", ""),
            data["sources"],
            {key: data[key] for key in ("platforms", "glibc") if key in data},
            tuple(data.get("values", ())),
            data["fix"],
        )
        for name, data in loads(file.read_text("utf-8")).items()
    }


def _for_python(value: object, python: str) -> object:
    return value.get(python) if isinstance(value, dict) else value


def packaged(
    names: Iterable[str],
    pairs: Iterable[tuple[Service, Target]],
    matrices: Iterable[WheelMatrix],
    auditor: Auditor,
) -> list[WheelMatrix]:
    """*matrices*, one for each of *pairs*, with what the tools *names* make of the same.

    Raises:
        SettingsError: a service is an artifact, which is packaged already.
    """
    chosen = list(dict.fromkeys(names))
    return [
        replace(
            matrix,
            packagers=tuple(packager_view(n, service, target, matrix, auditor) for n in chosen),
        )
        for (service, target), matrix in zip(pairs, matrices, strict=True)
    ]


def packager_view(
    name: str, service: Service, target: Target, matrix: WheelMatrix, auditor: Auditor
) -> PackagerView:
    """What the tool *name* makes of *service*, compared with *matrix*, on an x86_64 Linux host.

    The host has the target's Python and glibc.

    Raises:
        SettingsError: *service* is an artifact, which is packaged already.
    """
    packager = _packagers()[name]
    if service.lock is not None and service.lock.kind == ARTIFACT:
        raise SettingsError(
            f"--packager {name} needs requirements, and {service.lock.shown} is built already",
            next_step="name the requirement file or the lock that it is built from",
        )
    nodot = target.python.replace(".", "")
    view = PackagerView(
        name,
        packager.tool,
        packager.date,
        packager.source,
        packager.command.format(python=target.python, nodot=nodot),
    )
    platforms = packager.platforms(target)
    if platforms is None:
        problem = f"{packager.tool} has no rules for Python {target.python}"
        return replace(view, problems=(problem,))
    releases, findings, problems = _Packing(
        packager, platforms, service, target, matrix, auditor
    ).outcome()
    findings.sort(key=lambda finding: (KINDS.index(finding.kind), finding.name))
    return replace(
        view, releases=tuple(releases), findings=tuple(findings), problems=tuple(problems)
    )


class _Packing:
    """One run of a tool, as far as an index says what it does."""

    def __init__(
        self,
        packager: Packager,
        platforms: tuple[str, ...],
        service: Service,
        target: Target,
        matrix: WheelMatrix,
        auditor: Auditor,
    ) -> None:
        self._packager, self._platforms = packager, platforms
        self._service, self._target, self._auditor = service, target, auditor
        self._rows = {row.name: row for row in matrix.deployed}
        arm, self._x86 = platform_of(target), platform_of(target, "amd64")
        self._arm = arm
        markers = self._x86.markers if packager.host else arm.markers
        tags = ranked(tags_on(arm.python, platforms))
        self._platform = replace(arm, markers=markers, ranks=tags)
        """What the tool takes for the target."""

    def outcome(self) -> tuple[list[PackagedRelease], list[PackagerFinding], list[str]]:
        on_host = self._packager.host == _RELEASES
        tree, candidates = self._resolved(self._x86 if on_host else self._platform)
        releases: list[PackagedRelease] = []
        findings: list[PackagerFinding] = []
        problems = list(tree.problems)
        for node in tree.nodes.values():
            if node.version is None and node.name not in candidates.locals:
                if self._rows.get(node.name, _NO_ROW).state != UNKNOWN:
                    problems.append(f"{node.name}: {node.problem}")
                continue
            release = self._packaged(node, candidates)
            releases.append(release)
            findings += self._compared(node, release)
        findings += self._lacking({release.name for release in releases})
        return sorted(releases, key=lambda release: release.name), findings, problems

    def _resolved(self, platform: Platform) -> tuple[Tree, Candidates]:
        service, auditor = self._service, self._auditor
        lock = service.lock
        if lock is not None:
            index = auditor.index(service.deploy, lock)
            return (
                locked_tree(lock, lock.deploy, platform),
                LockCandidates(lock, lambda: index, platform),
            )
        wishes = service.deploy
        if self._packager.sources == _NONE:
            wishes = replace(wishes, formats=wishes.formats.wheels_only(ALL))
        return auditor.resolved(auditor.index(wishes), wishes, platform)

    def _packaged(self, node: Node, candidates: Candidates) -> PackagedRelease:
        """What becomes of *node*."""
        name = node.name
        local = candidates.locals.get(name)
        if local is not None:
            how = self._built(UNCLEAR if local.native else PURE)
            return PackagedRelease(name, local.version, how)
        version = cast(Version, node.version)
        release = PackagedRelease(name, str(version), REFUSED)
        first = candidates.fit(name, version)
        files = candidates.files(name, version)
        wheel = first.wheel if first.wheel is not None and not first.native else None
        wheel = wheel or fit(files, self._platform, yanked=True).wheel
        if wheel is not None:
            return replace(release, how=TAKEN, file=wheel.name)
        # What was downloaded as a wheel for the host is not built from sources afterwards.
        if first.sdist is None or first.wheel is not None or self._packager.sources == _NONE:
            return release
        verdict = self._verdict(name, str(version), first.sdist)
        return replace(release, how=self._built(verdict), file=first.sdist.name)

    def _built(self, verdict: str) -> str:
        """What becomes of sources whose build compiles what *verdict* says."""
        sources = self._packager.sources
        if sources == _OF_TARGET or verdict == PURE:
            return BUILT
        if sources == _OF_HOST:
            return FOREIGN
        return SLOW if sources == _FALLBACK and verdict == OPTIONAL else REFUSED

    def _verdict(self, name: str, version: str, file: IndexFile) -> str:
        row = self._rows.get(name)
        if row is not None and row.version == version and row.from_source:
            return PURE
        reader = self._auditor.contents.sdists(
            self._auditor.index(self._service.deploy, self._service.lock)
        )
        contents = reader.contents(name, file) if reader is not None and file.url else None
        return contents.verdict if contents is not None else UNCLEAR

    def _compared(self, node: Node, release: PackagedRelease) -> Iterator[PackagerFinding]:
        """What is different from *matrix*, which is what an installer on the target does."""
        row = self._rows.get(node.name)
        if row is None:
            yield self._not_needed(node, release)
        elif row.state in (BLOCKER, UNKNOWN) and row.version == release.version:
            return
        elif release.how == REFUSED:
            yield self._finding(FAILS, node, release, *self._why_refused(row, release))
        elif release.how in (FOREIGN, SLOW):
            kind = PACKS_X86 if release.how == FOREIGN else PACKS_SLOW
            key = "listed" if self._listed(row, release) else "compiled"
            yield self._finding(kind, node, release, self._how_built(release), key)
        elif row.version != release.version:
            text = f"an installer on the target takes {row.version}"
            yield self._finding(OTHER_RELEASE, node, release, text, "release", row.version)
        elif release.how == TAKEN and row.file.endswith(".whl") and row.file != release.file:
            text = f"it takes {release.file}, an installer on the target {row.file}"
            yield self._finding(OTHER_WHEEL, node, release, text)

    def _how_built(self, release: PackagedRelease) -> str:
        """What is packed that was built from sources."""
        why = f"it finds no wheel with {self._tags}" if release.file else "it is a project's folder"
        if release.how == SLOW:
            return f"{why}, and builds it without a compiler: pure Python, which is slow"
        return f"{why}, and packs what a build for {self._x86.machine}, the host's machine, makes"

    def _not_needed(self, node: Node, release: PackagedRelease) -> PackagerFinding:
        name, host = self._packager.name, self._x86.machine
        text = f"the releases that {name} takes ask for it"
        if self._packager.host:
            text = f"only {host} asks for it, and {name} takes what {host} asks for"
        if release.how == REFUSED:
            text += "; it has no wheel for ARM64"
        kind = {REFUSED: FAILS, FOREIGN: PACKS_X86}.get(release.how, ADDS)
        return self._finding(kind, node, release, text, "markers")

    def _why_refused(self, row: Row, release: PackagedRelease) -> tuple[str, str, str]:
        """Why it takes no file of *release*, the key of the way out, and the release for it."""
        if row.version != release.version:
            text = f"it has no wheel for ARM64; an installer on the target takes {row.version}"
            return text, "release", row.version
        if _has_wheel(row, release):
            key = "listed" if self._listed(row, release) else "compiled"
            return f"{row.file} has none of the tags that are taken: {self._tags}", key, ""
        if row.state == SOURCE:
            return "it has no wheel for ARM64, and is not compiled for ARM64", "compiled", ""
        return "it is pure Python without a wheel, and only wheels are taken", "pure", ""

    def _listed(self, row: Row, release: PackagedRelease) -> bool:
        """Whether the tool can be made to take the wheel that the target can use."""
        return _has_wheel(row, release) and (not self._packager.values or bool(self._value(row)))

    def _value(self, row: Row | None) -> int:
        """The minor of the glibc to name, where the tool knows some; 0 for none that helps."""
        floor = int(row.glibc.partition(".")[2] or 0) if row is not None else 0
        values = self._packager.values
        return next((v for v in values if floor <= v <= self._arm.glibc[1]), 0)

    def _lacking(self, names: set[str]) -> Iterator[PackagerFinding]:
        """What the target needs and the tool does not ask for."""
        for row in self._rows.values():
            if row.name not in names and row.state != UNKNOWN:
                who = f"what {self._x86.machine} asks for" if self._packager.host else "releases"
                text = f"the target needs it, and {self._packager.name} takes {who} without it"
                fix = self._fix("markers", row.name, row.version, row)
                place = row.path[0] if row.path else ""
                yield PackagerFinding(LACKS, row.name, row.version, text, fix, place)

    def _finding(
        self,
        kind: str,
        node: Node,
        release: PackagedRelease,
        text: str,
        fix: str = "",
        version: str = "",
    ) -> PackagerFinding:
        row = self._rows.get(node.name)
        way = self._fix(fix, node.name, version or release.version, row) if fix else ""
        place = node.path[0] if node.path else ""
        return PackagerFinding(kind, node.name, release.version, text, way, place)

    def _fix(self, key: str, name: str, version: str, row: Row | None) -> str:
        text = self._packager.fix[key]
        tags = wheel_tags(row.file) if row is not None and row.file.endswith(".whl") else None
        usable = set(platform_tags("arm64", self._arm.glibc))
        flags = " ".join(f"--platform {t}" for t in (tags[2] if tags else ()) if t in usable)
        glibc = self._value(row) or self._arm.glibc[1]
        return text.format(name=name, version=version, flags=flags, glibc=glibc)

    @property
    def _tags(self) -> str:
        named = [tag for tag in self._platforms if tag != "any"]
        return ", ".join(named) if len(named) <= 5 else f"{named[1]} and older"


_NO_ROW = Row("", "", "")


def _has_wheel(row: Row, release: PackagedRelease) -> bool:
    """Whether the target can use a wheel of *release*."""
    return row.version == release.version and row.green and row.file.endswith(".whl")
