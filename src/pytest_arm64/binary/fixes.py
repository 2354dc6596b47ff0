"""What to type where a library or a version is missing, in the words of the target's tools."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from ..config._toml import loads


def library_fix(library: str, recipe: str) -> str:
    """How *library* comes into the image at run time, by the package manager of *recipe*."""
    names = _system_libraries().get(library, {})
    if names.get("driver"):
        return f"it belongs to {names['driver']}: not in an image, and not on Graviton"
    if names.get("successor"):
        return f"no supported system has it any more: use a build against {names['successor']}"
    package = names.get("dnf" if recipe in ("dnf", "lambda") else recipe, "")
    if recipe == "apt":
        return f"at run time: apt-get install -y {package or _search('apt', library)}"
    if recipe == "lambda":
        return f"at run time: bring {library} along in the zip or a layer below /opt/lib" + (
            f" (in the package {package})" if package else ""
        )
    if recipe == "dnf":
        return f"at run time: dnf install -y {package or _search('dnf', library)}"
    return f"install the package that has {library} in the image that is deployed"


def _search(manager: str, library: str) -> str:
    if manager == "apt":
        return f"PACKAGE (which one: apt-file search {library})"
    # dnf installs by what a package provides, a library's name included.
    return f"'{library}()(64bit)'"


def version_fix(version: str) -> str:
    """What helps where a version of symbols is too new for the target."""
    if version.startswith("GLIBC_"):
        number = version.removeprefix("GLIBC_")
        return (
            f"take a build for an older glibc (a manylinux tag below {number}), or build it from "
            "source in the target's own image: glibc cannot be replaced there"
        )
    if version.startswith(("GLIBCXX_", "CXXABI_")):
        return (
            "take a build by an older compiler, build it from source in the target's own image, "
            "or bring a newer libstdc++.so.6 along"
        )
    return "take a build for an older system, or build it from source in the target's own image"


@cache
def _system_libraries() -> Mapping[str, Mapping[str, str]]:
    path = resources.files("pytest_arm64.resources").joinpath("system-libraries.toml")
    return dict(loads(path.read_text("utf-8"))["libraries"])
