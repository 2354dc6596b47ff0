"""What would turn a package green, checked against everything that holds its version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import Version

from ..index.simple import File
from ..inputs.requirements import Wish
from .fit import fit
from .matrix import BLOCKER, Remedy
from .platform import Platform

_Releases = Mapping[Version, tuple[File, ...]]


@dataclass(frozen=True)
class Found:
    """The releases with a usable wheel that are nearest to the selected one."""

    later: tuple[Version, File] | None = None
    earlier: tuple[Version, File] | None = None


def nearest(releases: _Releases, version: Version, platform: Platform) -> Found:
    """Nearest final releases after and before *version* whose wheel *platform* can use."""
    later = (v for v in reversed(tuple(releases)) if v > version and not v.is_prerelease)
    earlier = (v for v in releases if v < version and not v.is_prerelease)
    return Found(_first(releases, later, platform), _first(releases, earlier, platform))


def newest(releases: _Releases, platform: Platform) -> str:
    """The newest final release with a usable wheel; empty where there is none."""
    found = _first(releases, (v for v in releases if not v.is_prerelease), platform)
    return str(found[0]) if found else ""


def remedy(
    name: str,
    version: Version,
    found: Found,
    demands: Iterable[Wish],
    *,
    state: str,
    cause: str,
    renewal: str = "",
    offered: str = "",
) -> Remedy:
    """What to do about *name*, whose *version* has no usable wheel.

    Args:
        name: the package.
        version: the release that is selected.
        found: the nearest releases with one.
        demands: everything that limits its version.
        state: ``source`` or ``blocker``.
        cause: why it is.
        renewal: for a lock, the command that moves one release of it.
        offered: for a lock, the file that the index has and the lock does not list.
    """
    if offered:
        return Remedy(
            f"make the lock again for all platforms: {offered} is then used",
            str(version),
            offered,
            allowed=True,
        )
    chosen = found.later or found.earlier
    other_python = "; or deploy on a Python that it comes for" if cause == "wrong-python" else ""
    if chosen is None:
        return Remedy(_without_wheel(state) + other_python)
    target, file = chosen
    held = [w for w in demands if w.url or not w.specifier.contains(target, prereleases=True)]
    what = f"{name} {target} has a usable wheel"
    if not found.later:
        what = f"no later release has a usable wheel; {what}"
    if not held and renewal:
        command = renewal.format(name=name, version=target)
        text = f"{what} and every demand admits it: {command}"
    elif not held:
        text = f"{what} and every demand admits it: pin it"
    elif all(w.direct for w in held):
        text = f"{what}: change {', '.join(_who(w) for w in held[:3])}"
    else:
        text = f"{what}, but it is held at {version} by {', '.join(_who(w) for w in held[:3])}"
    text += other_python
    return Remedy(text, str(target), file.name, not held, tuple(_who(wish) for wish in held))


def _without_wheel(state: str) -> str:
    if state == BLOCKER:
        return "no release has a file for this target: replace it, or keep on x86 what needs it"
    return "no release has a usable wheel: build it in the target's image, or replace it"


def _who(wish: Wish) -> str:
    return f"{wish} ({wish.origin})" if wish.direct else f"{wish.origin}, which asks for {wish}"


def _first(
    releases: _Releases, versions: Iterable[Version], platform: Platform
) -> tuple[Version, File] | None:
    for version in versions:
        wheel = fit(releases[version], platform).wheel
        if wheel is not None:
            return version, wheel
    return None
