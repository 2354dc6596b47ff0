"""What the session inside needs of its own: pytest, and plugins that the project does not name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, distributions

from ..inputs.manifest import Manifest, project_dependencies

OURS = "pytest-arm64"
_BROUGHT_ALONG = frozenset(["platformdirs"])
"""Plugins that are on the host because this package depends on them."""


def runner_requirements(manifest: Manifest, python: str) -> tuple[str, ...]:
    """Requirements to add to the test scope for an interpreter of version *python*.

    pytest comes at the host's version unless the project asks for it by itself. A project that
    names no test requirements gets the host's plugins, as it would have when run here.
    """
    from packaging.utils import canonicalize_name

    named = manifest.requested(manifest.deploy)
    named |= manifest.requested(manifest.test)
    if manifest.own is not None:
        named |= project_dependencies(manifest)
    constrained = manifest.constrained()
    wanted: dict[str, str] = {}
    for name, distribution in _host_distributions(plugins=manifest.test.empty):
        normal = canonicalize_name(name)
        if normal not in named and normal != OURS:
            free = normal in constrained
            # The first of two with one name is the one that Python imports.
            wanted.setdefault(normal, name if free else _requirement(distribution, python))
    return tuple(sorted(wanted.values()))


def _host_distributions(*, plugins: bool) -> Iterator[tuple[str, Distribution]]:
    for distribution in distributions():
        name = _name(distribution)
        if name == "pytest" or (
            name
            and plugins
            and name not in _BROUGHT_ALONG
            and _is_plugin(distribution)
            and not _local(distribution)
        ):
            yield name, distribution


def _name(distribution: Distribution) -> str:
    """Its name, empty for what an interrupted installation left behind."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO")
    return _field(distribution, "Name") if text else ""


def _field(distribution: Distribution, name: str) -> str:
    """A field of its metadata, empty where it is missing: to index them is deprecated there."""
    return str((distribution.metadata.get_all(name) or [""])[0])


def _is_plugin(distribution: Distribution) -> bool:
    return any(point.group == "pytest11" for point in distribution.entry_points)


def _local(distribution: Distribution) -> bool:
    """Whether it was installed from a folder, a file or a repository: no index has it."""
    return distribution.read_text("direct_url.json") is not None


def _requirement(distribution: Distribution, python: str) -> str:
    """The host's version where it supports *python*, else whichever the installer finds."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

    name = _field(distribution, "Name")
    try:
        supported = SpecifierSet(_field(distribution, "Requires-Python"))
        version = Version(_field(distribution, "Version"))
    except ValueError:
        return name
    if version.local or not supported.contains(python):
        return name
    return f"{name}=={version}"
