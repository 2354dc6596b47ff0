"""What is known of a deployment platform without looking at its image: facts with their source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

from ._toml import Table, loads

PAGE = 4096
"""Bytes in a page of Amazon Linux's, Debian's and Ubuntu's kernels for ARM64."""
PAGES = (PAGE, 16384, 65536)
"""The sizes that ARM64 kernels can have."""
UNPACKED = "unpacked-bytes"
"""The limit on what a function's zip and its layers unpack to together."""
IMAGE_BYTES = "image-bytes"
"""The limit on a function's image."""
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Facts:
    """One platform, as its sources describe it."""

    release: str = ""
    read: date | None = None
    """When the sources were looked up; None where one that counts could not be opened."""
    sources: tuple[str, ...] = ()
    supported_until: date | None = None
    page_size: int = PAGE
    symbols: Pairs = ()
    """Newest versions of symbols by prefix, such as ``("GLIBCXX", "3.4.33")``."""
    older: Pairs = ()
    """The same of the oldest image in use, where it has less."""
    since: str = ""
    """From which release on ``symbols`` holds."""
    since_of: Pairs = ()
    """The same by prefix, where it differs."""
    has: tuple[str, ...] = ()
    """Libraries, beyond those of glibc and the compiler, that are there."""
    lacks: tuple[str, ...] = ()
    """Libraries that are not there."""
    closed: bool = False
    """Whether libraries that are not in ``has`` are missing, as for a policy."""
    limits: tuple[tuple[str, int], ...] = ()
    accelerators: bool = True
    """Whether code may meet a GPU or another accelerator there."""

    @property
    def unpacked_limit(self) -> int:
        """Bytes to which a zip and its layers may unpack; 0 where nothing limits them."""
        return dict(self.limits).get(UNPACKED, 0)

    @property
    def image_limit(self) -> int:
        """Bytes that an image may unpack to; 0 where nothing limits them."""
        return dict(self.limits).get(IMAGE_BYTES, 0)

    def age(self, today: date) -> int:
        """Days since the sources were looked up; 0 where nobody says when that was."""
        return (today - self.read).days if self.read is not None else 0


@cache
def shipped_facts() -> Mapping[str, Facts]:
    """Facts of ``resources/target-facts.toml`` by name."""
    tables = _data()
    return {name: _facts(table, tables) for name, table in tables.items()}


def _facts(table: Table, tables: Mapping[str, Table]) -> Facts:
    return Facts(
        release=table["release"],
        read=table.get("read"),
        sources=tuple(table["sources"]),
        supported_until=table.get("supported-until"),
        page_size=table["page-size"],
        symbols=tuple(table["symbols"].items()),
        older=tuple(table.get("older", {}).items()),
        since=table.get("since", ""),
        since_of=tuple(table.get("since-of", {}).items()),
        has=tuple(table["has"]),
        lacks=_lacks(table, tables),
        closed=table.get("closed", False),
        limits=tuple(table.get("limits", {}).items()),
        accelerators=table.get("accelerators", True),
    )


def _lacks(table: Table, tables: Mapping[str, Table]) -> tuple[str, ...]:
    """What *table* lacks: its own, and what the one that it names lacks."""
    other = tables.get(table.get("lacks-as", ""))
    inherited = _lacks(other, tables) if other is not None else ()
    return tuple(sorted({*inherited, *table["lacks"]} - {*table["has"]}))


@cache
def _data() -> Mapping[str, Table]:
    folder = resources.files("pytest_arm64.resources")
    return loads(folder.joinpath("target-facts.toml").read_text("utf-8"))
