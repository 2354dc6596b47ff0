"""What to type where a library or a version is missing, in the words of the target's tools."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from ..config._toml import loads
from ..config.system_packages import settings_line

_UNKNOWN = "PACKAGE"
_MUSL = ("libc.musl-", "ld-musl-")


def library_fix(library: str, manager: str) -> str:
    """How *library* comes to the place where the code runs.

    Args:
        library: its name in ``DT_NEEDED``.
        manager: ``Target.manager`` of the place.
    """
    names = _system_libraries().get(library, {})
    if names.get("driver"):
        return f"it belongs to {names['driver']}: not in an image, and not on Graviton"
    if names.get("successor"):
        return f"no supported system has it any more: use a build against {names['successor']}"
    if library.startswith(_MUSL):
        return "the file was built for musl: use its manylinux wheel, or an image with musl"
    if manager == "manylinux":
        return f"bundle {library} in the wheel (auditwheel repair): the policy does not promise it"
    if manager == "none":
        return f"install the package that has {library} in the image that is deployed"
    if manager == "apt":
        package = names.get("apt", "")
        which = "" if package else f" (which one: apt-file search {library})"
        package = package or _UNKNOWN
        return f"at run time: apt-get install -y {package}{which}; {_for_tests(package)}"
    # Whether the target has a package with a library that is not in the table, only it can say.
    package = names.get("dnf", "")
    which = "" if package else f" (which one: dnf provides '{library}()(64bit)')"
    package = package or _UNKNOWN
    if manager == "lambda-zip":
        return (
            f"bring {library} along in the zip's folder lib or in a layer, use a wheel that has it "
            "inside, or deploy the function as a container image"
        )
    if manager.startswith("lambda-"):
        command = manager.removeprefix("lambda-")
        return (
            f"at run time: `RUN {command} install -y {package}` in the Dockerfile{which}, or bring "
            f"{library} along below /opt/lib; {_for_tests(package)}"
        )
    return f"at run time: dnf install -y {package}{which}; {_for_tests(package)}"


def _for_tests(package: str) -> str:
    return f"for the tests: {settings_line(run=[package])}"


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
