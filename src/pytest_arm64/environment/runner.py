"""What the session inside needs of its own: pytest, and plugins that the project does not name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, distributions

from .manifests import Manifest, requirement_names

OURS = "pytest-arm64"


def runner_requirements(manifest: Manifest, python: str) -> tuple[str, ...]:
    """Requirements to add to the test scope for an interpreter of version *python*.

    pytest comes at the host's version unless the project asks for it by itself. A project that
    names no test requirements gets the host's plugins, as it would have when run here.
    """
    from packaging.utils import canonicalize_name

    named = requirement_names(manifest.deploy, manifest.documents)
    named |= requirement_names(manifest.test, manifest.documents)
    wanted = []
    for distribution in _host_distributions(plugins=manifest.test.empty):
        name = canonicalize_name(distribution.metadata["Name"])
        if name not in named and name != OURS:
            wanted.append(_requirement(distribution, python))
    return tuple(sorted(set(wanted)))


def _host_distributions(*, plugins: bool) -> Iterator[Distribution]:
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name == "pytest" or (plugins and _is_plugin(distribution) and not _local(distribution)):
            yield distribution


def _is_plugin(distribution: Distribution) -> bool:
    return any(point.group == "pytest11" for point in distribution.entry_points)


def _local(distribution: Distribution) -> bool:
    """Whether it was installed from a folder, a file or a repository: no index has it."""
    return distribution.read_text("direct_url.json") is not None


def _requirement(distribution: Distribution, python: str) -> str:
    """The host's version where it supports *python*, else whichever the installer finds."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    name = distribution.metadata["Name"]
    try:
        supported = SpecifierSet(distribution.metadata.get("Requires-Python") or "")
        version = Version(distribution.version)
    except (InvalidSpecifier, InvalidVersion):
        return str(name)
    if version.local or not supported.contains(python):
        return str(name)
    return f"{name}=={version}"
