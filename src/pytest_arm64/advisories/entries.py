"""One advisory as typed values, read from the JSON of OSV's schema: of unknown origin, bounded."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..config.targets import shipped_targets
from ..errors import SettingsError
from ..records import parse
from .conditions import Condition, read_condition
from .ranges import Affected, Interval

WRONG_RESULT, ILLEGAL_INSTRUCTION, ABORT = "wrong-result", "illegal-instruction", "abort"
GRAVE = (WRONG_RESULT, ILLEGAL_INSTRUCTION, ABORT)
EFFECTS = (*GRAVE, "slow", "missing-feature", "heavy")
NOT_REPRODUCED = "not reproduced here"
LOCAL = "x_"
"""How OSV's schema marks ids of databases that osv.dev does not aggregate; not shown."""
MOST_ENTRIES = 1000
MOST_RELEASES = 5000
"""Stretches and single releases of a file: each is compared with each release that may be used."""
_MOST_TEXT, _MOST_ITEMS = 8000, 200
_ID = re.compile(r"(?:x_)?[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+", re.ASCII)
_MOST_ID = 60


@dataclass(frozen=True)
class Reference:
    """Where a fact of an advisory comes from."""

    type: str
    """As OSV calls it: ``REPORT``, ``FIX``, ``WEB``."""
    url: str


@dataclass(frozen=True)
class Verification:
    """Two releases between which the reproducer tells, and where it runs."""

    package: str
    affected: Version
    """A release with which the reproducer fails."""
    passes: Version
    """A release with which it passes."""
    requirements: tuple[str, ...] = ()
    """What is installed with both, beyond their own requirements."""
    core: str = ""
    """The processor that qemu has to emulate, by qemu's name; empty for any."""
    target: str = ""
    """The target whose cells show it; empty where those of any target do."""


@dataclass(frozen=True)
class Advisory:
    """What is wrong with some releases of a package on ARM64."""

    id: str
    """As it is shown: ``ARM-2026-0001``."""
    summary: str
    effect: str
    """One of ``EFFECTS``."""
    affected: tuple[Affected, ...]
    condition: Condition = field(default_factory=Condition)
    details: str = ""
    references: tuple[Reference, ...] = ()
    modified: str = ""
    reproducer: str = ""
    """A small program that shows the defect; empty where nobody has written one."""
    reproduced: str = NOT_REPRODUCED
    verification: Verification | None = None
    """How the defect is shown; None where it cannot be, for which ``reproduced`` has the reason."""
    withdrawn: bool = False

    @property
    def grave(self) -> bool:
        """Whether the effect is more than a loss of speed or of a feature."""
        return self.effect in GRAVE

    @property
    def packages(self) -> tuple[str, ...]:
        """Normalised names."""
        return tuple(dict.fromkeys(affected.package for affected in self.affected))

    def of(self, package: str) -> tuple[Affected, ...]:
        """What is affected of *package*."""
        return tuple(affected for affected in self.affected if affected.package == package)


def read_advisories(content: bytes, name: str) -> tuple[Advisory, ...]:
    """The advisories in *content*: one object of OSV's schema, or a list of them.

    Args:
        content: JSON of unknown origin.
        name: the file, as errors name it.

    Raises:
        SettingsError: it is not JSON, or an entry is not valid; the message names the entry.
    """
    try:
        data = parse(content)
    except ValueError as error:
        raise SettingsError(f"{name} is not a file of advisories: {error}") from None
    entries = data if isinstance(data, list) else [data]
    if len(entries) > MOST_ENTRIES:
        raise SettingsError(f"{name} has more than {MOST_ENTRIES} advisories")
    advisories: dict[str, Advisory] = {}
    releases = 0
    for number, entry in enumerate(entries, 1):
        where = f"{name}: entry {number}"
        try:
            advisory = _advisory(entry)
            _check_new(advisory.id, advisories)
        except ValueError as error:
            raise SettingsError(
                f"{where}: {error}", next_step="see docs/advisories.md for what an entry needs"
            ) from None
        advisories[advisory.id] = advisory
        releases += sum(len(item.intervals) + len(item.versions) for item in advisory.affected)
        if releases > MOST_RELEASES:
            raise SettingsError(f"{name} names more than {MOST_RELEASES} affected releases")
    return tuple(advisories.values())


def _check_new(identity: str, there: Container[str]) -> None:
    if identity in there:
        raise ValueError(f"the id {identity} is there twice")


def _advisory(entry: object) -> Advisory:
    table = _table(entry, "it")
    identity = _text(table, "id", most=_MOST_ID)
    if not _ID.fullmatch(identity):
        raise ValueError(f"id {identity!r} is not an id such as ARM-2026-0001")
    own = _table(table.get("database_specific"), "database_specific")
    effect = _text(own, "effect")
    if effect not in EFFECTS:
        raise ValueError(f"effect must be one of {', '.join(EFFECTS)}, not {effect[:40]!r}")
    affected = tuple(_affected(item) for item in _items(table, "affected"))
    if not affected:
        raise ValueError("affected is empty")
    reproducer = _text(own, "reproducer", "")
    if "verify" in own and not reproducer:
        raise ValueError("verify needs a reproducer")
    return Advisory(
        id=shown_id(identity),
        summary=_text(table, "summary"),
        effect=effect,
        affected=affected,
        condition=read_condition(_table(own.get("condition", {}), "condition")),
        details=_text(table, "details", ""),
        references=tuple(map(_reference, _items(table, "references"))),
        modified=_text(table, "modified"),
        reproducer=reproducer,
        reproduced=_text(own, "reproduced", NOT_REPRODUCED),
        verification=_verification(own, affected),
        withdrawn="withdrawn" in table,
    )


def _verification(own: Mapping[str, object], affected: Sequence[Affected]) -> Verification | None:
    if "verify" not in own:
        return None
    table = _table(own["verify"], "verify")
    unknown = set(table) - {"affected", "passes", "with", "core", "target"}
    if unknown:
        raise ValueError(f"verify: unknown key {min(unknown)[:40]!r}")
    first = affected[0]
    bad, good = (_version(table.get(key), f"verify: {key}") for key in ("affected", "passes"))
    if bad not in first or good in first:
        raise ValueError(f"verify: {bad} is not affected, or {good} is")
    core = _text(table, "core", "", most=_MOST_ID)
    if not re.fullmatch(r"[a-z0-9-]*", core):
        raise ValueError(f"verify: core {core!r} is not a name such as cortex-a72")
    requirements = tuple(map(_requirement, _items(table, "with")))
    target = _text(table, "target", "", most=_MOST_ID)
    if target and target not in shipped_targets():
        raise ValueError(f"verify: there is no target {target!r}")
    return Verification(first.package, bad, good, requirements, core, target)


def _requirement(value: object) -> str:
    try:
        requirement = Requirement(value if isinstance(value, str) else "")
    except InvalidRequirement:
        raise ValueError(f"verify: with: {str(value)[:60]!r} is not a requirement") from None
    if requirement.url:
        raise ValueError("verify: with: a requirement has an address")
    return str(requirement)


def shown_id(identity: str) -> str:
    """*identity* without the mark of a local database."""
    return identity.removeprefix(LOCAL)


def _affected(item: object) -> Affected:
    table = _table(item, "affected")
    package = _table(table.get("package"), "package")
    if _text(package, "ecosystem") != "PyPI":
        raise ValueError("ecosystem must be PyPI")
    name = canonicalize_name(_text(package, "name"))
    intervals = [
        interval
        for found in _items(table, "ranges")
        for interval in _intervals(_table(found, "ranges"))
    ]
    versions = tuple(_version(text, "versions") for text in _items(table, "versions"))
    if not intervals and not versions:
        raise ValueError(f"affected {name} has neither ranges nor versions")
    return Affected(name, tuple(intervals), versions)


def _intervals(table: Mapping[str, object]) -> Iterator[Interval]:
    """The stretches between the events of one range."""
    if _text(table, "type") != "ECOSYSTEM":
        raise ValueError("the type of a range must be ECOSYSTEM")
    events = [_event(item) for item in _items(table, "events")]
    if not any(kind == "introduced" for kind, _ in events):
        raise ValueError("a range has no introduced event")
    start: Version | None = None
    for kind, version in sorted(events, key=lambda event: (event[1], event[0] != "introduced")):
        if kind == "introduced":
            if start is not None:
                raise ValueError("a range has two introduced events with nothing between them")
            start = version
        elif start is None:
            raise ValueError(f"a range has {kind} {version} before any introduced event")
        else:
            fixed = version if kind == "fixed" else None
            yield Interval(start, fixed, version if fixed is None else None)
            start = None
    if start is not None:
        yield Interval(start)


def _event(item: object) -> tuple[str, Version]:
    table = _table(item, "events")
    if len(table) != 1:
        raise ValueError("an event must have one key")
    ((kind, value),) = table.items()
    if kind not in ("introduced", "fixed", "last_affected"):
        raise ValueError(f"unknown event {str(kind)[:40]!r}")
    return kind, _version(value, kind)


def _version(value: object, where: str) -> Version:
    try:
        if isinstance(value, str) and len(value) <= _MOST_ID:
            return Version(value)
    except InvalidVersion:
        pass
    raise ValueError(f"{where}: {str(value)[:40]!r} is not a version")


def _reference(item: object) -> Reference:
    table = _table(item, "references")
    url = _text(table, "url")
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"references: {url[:40]!r} is not a web address")
    return Reference(_text(table, "type"), url)


def _table(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{where} is not an object")  # noqa: TRY004 - all faults are one kind
    return value


def _items(table: Mapping[str, object], key: str) -> Sequence[object]:
    value = table.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise ValueError(f"{key} is not a list of at most {_MOST_ITEMS} items")
    return value


def _text(
    table: Mapping[str, object], key: str, default: str | None = None, *, most: int = _MOST_TEXT
) -> str:
    value = table.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise ValueError(f"{key} is missing" if value is None else f"{key} is not a text")
    if len(value) > most:
        raise ValueError(f"{key} is longer than {most} characters")
    return value
