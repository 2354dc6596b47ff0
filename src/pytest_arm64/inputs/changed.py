"""Requirements with changes to try applied, as if their files had been changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..config.changes import Change
from ..index.metadata import parse_requirement
from .requirements import LocalProject, RequirementSet, SourcedRequirement, sourced_requirement


def with_changes(wishes: RequirementSet, changes: Sequence[Change]) -> RequirementSet:
    """*wishes* once *changes* were made in the files that they come from.

    What the service asks for itself changes; what only its dependencies ask for is constrained.
    """
    if not changes:
        return wishes
    by_name = {change.name: change for change in changes}
    held = [
        (change.wanted, sourced_requirement(change.wanted, "--arm64-try"))
        for change in changes
        if change.name not in asked_names(wishes) and not change.renames
    ]
    others = (pair for pair in wishes.constraints if pair[1].name not in by_name)
    return replace(
        wishes,
        requirements=tuple(_changed(r, w, by_name.get(w.name)) for r, w in wishes.requirements),
        constraints=(*others, *held),
        overrides=tuple(
            _requirement(override, by_name.get(canonicalize_name(override.name)))
            for override in wishes.overrides
        ),
        locals=tuple(_local(local, by_name) for local in wishes.locals),
        tried=True,
    )


def asked_names(wishes: RequirementSet) -> set[str]:
    """Normalised names of what the service asks for itself, or its local projects do."""
    listed = [wish.name for _, wish in wishes.requirements]
    listed += [canonicalize_name(override.name) for override in wishes.overrides]
    for local in wishes.locals:
        texts = [*local.requires, *(text for _, extra in local.extras for text in extra)]
        parsed = filter(None, map(parse_requirement, texts))
        listed += [canonicalize_name(requirement.name) for requirement in parsed]
    return set(listed)


def _changed(
    requirement: Requirement, wish: SourcedRequirement, change: Change | None
) -> tuple[Requirement, SourcedRequirement]:
    if change is None:
        return requirement, wish
    new = _requirement(requirement, change)
    # Hashes and addresses are those of the release that goes away.
    return new, sourced_requirement(new, wish.origin, direct=wish.direct)


def _requirement(requirement: Requirement, change: Change | None) -> Requirement:
    """*requirement* with what *change* says of it: version, marker, and its own extras as well."""
    if change is None:
        return requirement
    new = change.wanted
    if new.marker and not new.specifier and not change.renames:
        new.specifier = requirement.specifier
    if requirement.marker:
        marker = f"({requirement.marker}) and ({new.marker})" if new.marker else requirement.marker
        new.marker = Marker(str(marker))
    new.extras |= requirement.extras
    return new


def _local(local: LocalProject, by_name: Mapping[str, Change]) -> LocalProject:
    def texts(listed: Iterable[str]) -> tuple[str, ...]:
        return tuple(_text(text, by_name) for text in listed)

    extras = tuple((extra, texts(listed)) for extra, listed in local.extras)
    return replace(local, requires=texts(local.requires), extras=extras)


def _text(text: str, by_name: Mapping[str, Change]) -> str:
    requirement = parse_requirement(text)
    change = by_name.get(canonicalize_name(requirement.name)) if requirement is not None else None
    return text if requirement is None or change is None else str(_requirement(requirement, change))
