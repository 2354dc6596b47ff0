"""Which changes can be tried: what the audit proposes, and what speaks against one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from ..audit.auditor import Auditor
from ..audit.fixes import faults
from ..audit.locked import locked_tree, unlocked
from ..audit.matrix import Row, WheelMatrix
from ..audit.platform import Platform, platform_of
from ..config.changes import Change, read_change
from ..config.targets import Target
from ..inputs.changed import asked_names, with_changes
from ..inputs.requirements import RequirementSet, Tree
from ..inputs.service import Service

_ARCHITECTURES = ("arm64", "amd64")


@dataclass(frozen=True)
class _Resolved:
    """A tree, and what of it cannot be installed."""

    tree: Tree
    faults: Mapping[str, str]
    """Why, by package or problem."""


def untouched(service: Service, changes: Iterable[Change], names: Iterable[str]) -> list[Change]:
    """Those of *changes* that change nothing of *service*, which deploys packages of *names*."""
    there = {*names, *asked_names(service.deploy)}
    return [change for change in changes if change.name not in there]


class Trials:
    """Resolves services as they are and as they would be, on a target and on x86_64."""

    def __init__(self, auditor: Auditor, target: Target) -> None:
        self._auditor = auditor
        self._target = target

    def objection(self, service: Service, changes: Sequence[Change]) -> str:
        """What speaks against *changes* of *service*; empty where they can be tried."""
        for architecture in _ARCHITECTURES:
            platform = platform_of(self._target, architecture)
            lock = service.lock
            wishes = unlocked(lock, platform) if lock is not None else service.deploy
            before = self._resolved(service, wishes, platform)
            after = self._resolved(service, with_changes(wishes, changes), platform)
            text = _out_of_reach(changes, wishes, before.tree, after.tree)
            touched = {name for change in changes for name in (change.name, change.new_name)}
            fresh = [
                reason
                for name, reason in after.faults.items()
                if name in touched or name not in before.faults
            ]
            if text or fresh:
                return f"on {platform.machine}: {text or fresh[0]}"
        return ""

    def names(self, service: Service) -> set[str]:
        """Normalised names of everything that *service* deploys, on either machine."""
        names: set[str] = set()
        for architecture in _ARCHITECTURES:
            platform = platform_of(self._target, architecture)
            lock = service.lock
            tree = (
                locked_tree(lock, lock.deploy, platform)
                if lock is not None
                else self._resolved(service, service.deploy, platform).tree
            )
            names |= tree.nodes.keys()
        return names

    def _resolved(self, service: Service, wishes: RequirementSet, platform: Platform) -> _Resolved:
        index = self._auditor.index(wishes, service.lock)
        tree, candidates = self._auditor.resolved(index, wishes, platform)
        return _Resolved(tree, faults(tree, candidates))


def _out_of_reach(
    changes: Iterable[Change], wishes: RequirementSet, before: Tree, after: Tree
) -> str:
    """Why the service's own files cannot make one of *changes*; empty where they can."""
    asked = asked_names(wishes)
    for change in changes:
        if change.name not in before.nodes:
            continue
        if change.name not in asked and (change.renames or change.wanted.marker):
            parents = ", ".join(before.nodes[change.name].parents)
            return f"only {parents} asks for {change.name}, not the project"
        if change.renames and change.name in after.nodes:
            parents = ", ".join(after.nodes[change.name].parents)
            return (
                f"{parents} asks for {change.name} too: it would be installed beside "
                f"{change.new_name}"
            )
    return ""


def proposed_changes(matrix: WheelMatrix) -> tuple[Change, ...]:
    """All fixes that *matrix* proposes, as changes to try; the first of two for one package."""
    changes: dict[str, Change] = {}
    for row in matrix.deployed:
        for text in _proposed(row):
            change = read_change(text)
            changes.setdefault(change.name, change)
    return tuple(changes.values())


def _proposed(row: Row) -> Iterator[str]:
    remedy = row.remedy
    if remedy is None:
        return
    if remedy.marker:
        yield f"{row.name}; {remedy.marker}"
    elif remedy.moves:
        yield from remedy.moves
    elif remedy.changeable and remedy.version and _is_other(remedy.version, row.version):
        yield f"{row.name}=={remedy.version}"
    elif remedy.replacement:
        yield f"{row.name}={remedy.replacement}"


def _is_other(version: str, selected: str) -> bool:
    return not selected or Version(version) != Version(selected)
