"""The install record: what was installed, from what, as the installer's data tell it."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from packaging.utils import canonicalize_name

from ..errors import InstallError
from ..index.pip_config import strip_credentials
from ..records import Layout, decode, encode
from .consistency import DistributionMetadata

FORMAT = 2
PURE, WHEEL, SOURCE = "pure", "wheel", "source"


@dataclass(frozen=True)
class Installed:
    """One package: ``state`` is pure, wheel or source; ``scope`` is deploy or test.

    A source distribution of which a wheel for any machine was built is pure.
    """

    name: str
    version: str
    scope: str
    state: str
    file: str
    url: str
    hash: str
    requested: bool
    size: int = 0
    """Bytes of what was fetched, where that is known."""
    unpacked: int = 0
    """Bytes of its files, where that is known."""
    seconds: float = 0.0
    """What building it took, where it was built."""
    log: str = ""
    """What its build printed."""
    kept: bool = False
    """Whether an earlier installation had built it."""
    cross: str = ""
    """The cross compiler that compiled it, ``gcc 12.2.0``; empty where the builder's own did."""


@dataclass(frozen=True)
class InstallRecord:
    """Everything that an environment holds, and when and how it was made."""

    JSON: ClassVar[Layout] = Layout(FORMAT, name="install record")

    packages: tuple[Installed, ...]
    installer: str
    made_at: str
    """ISO 8601, UTC."""
    seconds: float
    notes: tuple[str, ...] = ()
    """What was found while it was unpacked: a RECORD that lies, files that packages share."""
    changed: tuple[str, ...] = ()
    """Where the tests change which versions are deployed, in words."""
    missing: tuple[str, ...] = ()
    """Releases that were left out, because nothing of them can be used here."""
    broken: tuple[str, ...] = ()
    """Requirements of packages that are not met, as `pip check` would tell."""
    fallback: str = ""
    """Why pip installed, where the plan was asked to."""
    system_packages: tuple[str, ...] = ()
    """Packages of the system that were installed for it: ``libpq5 (apt, at run time)``."""
    not_crossed: str = ""
    """Why nothing was cross-compiled, where that was asked for."""

    def count(self, scope: str) -> dict[str, int]:
        """How many packages of *scope* there are in each state."""
        return dict(Counter(p.state for p in self.packages if p.scope == scope))

    def pins(self) -> tuple[str, ...]:
        """``name==version`` of every package that came from an index, as constraints."""
        return tuple(sorted(f"{p.name}=={p.version}" for p in self.packages if p.file))

    def to_json(self) -> dict[str, object]:
        return dict(encode(self))

    @classmethod
    def from_json(cls, data: object) -> InstallRecord:
        """The record that ``to_json`` gave.

        Raises:
            ValueError: it is of another format, or damaged.
        """
        return decode(cls, data)


def with_built_states(
    packages: Iterable[Installed], installed: Iterable[DistributionMetadata]
) -> Iterator[Installed]:
    """*packages*, those that were built to a wheel for any machine as pure: nothing is compiled."""
    portable = {canonicalize_name(d.name) for d in installed if d.portable}
    for package in packages:
        pure = package.state == SOURCE and canonicalize_name(package.name) in portable
        yield replace(package, state=PURE) if pure else package


def from_pip_report(report: str, scope: str) -> Sequence[Installed]:
    """Packages of one ``pip install --report``.

    Whether something was compiled is read from the address that pip installed from, never from
    the log: a wheel that pip built earlier and cached leaves no "Building wheel" line.
    Source: pip's installation report format, version 1.

    Raises:
        InstallError: it is no such report.
    """
    try:
        return [_installed(item, scope) for item in json.loads(report)["install"]]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InstallError(
            f"pip's report on the {scope} scope cannot be read: {error!r}",
            why="what was installed, and from what, would be a guess",
            next_step="try again with --arm64-refresh",
        ) from None


def _installed(item: Mapping[str, Any], scope: str) -> Installed:
    info = item["download_info"]
    # What follows "?" is often a signature, which is a credential too.
    url = re.split(r"[?#]", strip_credentials(str(info["url"])), maxsplit=1)[0]
    file = urllib.parse.unquote(url).rpartition("/")[2]
    is_wheel = file.endswith(".whl") and "dir_info" not in info and "vcs_info" not in info
    hashes = (info.get("archive_info") or {}).get("hashes") or {}
    metadata = item["metadata"]
    return Installed(
        name=str(metadata["name"]),
        version=str(metadata["version"]),
        scope=scope,
        state=_wheel_state(file) if is_wheel else SOURCE,
        file=file if is_wheel or "archive_info" in info else "",
        url=url,
        hash=f"sha256:{hashes['sha256']}" if "sha256" in hashes else "",
        requested=bool(item.get("requested")),
    )


def _wheel_state(file: str) -> str:
    """Pure means the platform tag ``any`` only: ``py3-none-manylinux…`` is native."""
    platforms = file.removesuffix(".whl").rpartition("-")[2].split(".")
    return PURE if platforms == ["any"] else WHEEL
