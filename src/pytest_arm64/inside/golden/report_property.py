"""What reports tell of values that were compared or recorded: a property, written and read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from ..light_tuple import LightTuple as NamedTuple

PROPERTY = "arm64_golden"
"""Name under which a report tells it; xdist's workers and JUnit files carry it."""


class Told(NamedTuple):
    """What one test tells of its values."""

    values: tuple[Mapping[str, object], ...] = ()
    """Each that was compared has a ``name``, a ``class`` and ``ok``, and may have more."""
    notes: tuple[str, ...] = ()
    decisions: tuple[tuple[str, frozenset[str]], ...] = ()
    """Names of decisions, and the sides on which recorded inputs lie."""
    core: str = ""
    """Of a further core, its name."""
    kernels: str = ""
    """What is wrong with the kernels that were used."""
    recorded: tuple[str, str] | None = None
    """Of a recording, the golden's folder and test."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The class of each value that was compared."""
        return tuple(str(value["class"]) for value in self.values)


def told_by(properties: Iterable[tuple[str, object]]) -> Iterator[Told]:
    """What *properties* of a report tell of golden values; what is somebody else's is left out."""
    for name, value in properties:
        told = _read(value) if name == PROPERTY else None
        if told is not None:
            yield told


def _read(value: object) -> Told | None:
    try:
        data = json.loads(str(value))
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    folder, test = data.get("folder"), data.get("test")
    if isinstance(folder, str) and isinstance(test, str):
        return Told(recorded=(folder, test))
    if not isinstance(data.get("values"), list):
        return None
    decisions = data.get("decisions")
    return Told(
        values=tuple(value for value in data["values"] if _whole(value)),
        notes=tuple(map(str, _listed(data.get("notes")))),
        decisions=tuple(
            (str(name), frozenset(map(str, _listed(sides))))
            for name, sides in (decisions.items() if isinstance(decisions, dict) else ())
        ),
        core=str(data.get("core", "")),
        kernels=str(data.get("kernels", "")),
    )


def _whole(value: object) -> bool:
    return isinstance(value, dict) and {"name", "class", "ok"} <= value.keys()


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []
