"""A build with its requirements laid beside it, and with what its back end asks for besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..engine.container import Container
from ..errors import BuildError, InstallError
from .build_environment import (
    BackendSource,
    BuildEnvironment,
    BuildEnvironments,
    UnpreparedError,
    wants_more,
)
from .failures import NETWORK, RESOLUTION
from .tree import Owner

T = TypeVar("T")

Build = Callable[[Mapping[str, str], Sequence[str]], T]
"""Runs a build with more variables and options of pip."""


@dataclass(frozen=True)
class BuildPlace:
    """A container in which *sources* are to be built by *user*."""

    container: Container
    folder: str
    """Below it, requirements are laid."""
    user: Owner
    variables: Mapping[str, str]
    sources: Sequence[BackendSource]


@dataclass(frozen=True)
class Prepared(Generic[T]):
    """What a build gave, and the requirements that it had."""

    result: T
    environment: BuildEnvironment | None
    """None where pip isolated the build, which took the network."""
    asked: tuple[str, ...] = ()
    """What the back end asked for beyond what its project writes down."""


def run_prepared(
    place: BuildPlace,
    environments: BuildEnvironments,
    environment: BuildEnvironment | None,
    build: Build[T],
    isolated: Build[T] | None,
) -> Prepared[T]:
    """Run *build* with *environment*; where that is not enough and builds may have the network,
    *isolated*, for which pip fetches what it needs.

    Raises:
        UnpreparedError: what the back end asks for cannot be had.
        InstallError: the build failed.
    """
    if environment is None:
        assert isolated is not None
        return Prepared(isolated({}, ()), None)
    try:
        return _with_requirements(place, environments, environment, build)
    except UnpreparedError:
        if isolated is None:
            raise
    except InstallError as error:
        if isolated is None or not wants_more(error.log):
            raise
    return Prepared(isolated({}, ()), None)


def _with_requirements(
    place: BuildPlace,
    environments: BuildEnvironments,
    environment: BuildEnvironment,
    build: Build[T],
) -> Prepared[T]:
    container, sources = place.container, place.sources
    own = environment.put(container, place.folder, place.user)
    variables = {**place.variables, **own}
    asked = [] if environment.predictable else environment.ask(container, variables, sources)
    if not asked:
        try:
            return Prepared(build(own, environment.options), environment)
        except InstallError as error:
            if not environment.predictable or not _lacks_something(error):
                raise
            asked = environment.ask(container, variables, sources)
            if not asked:
                raise
    complete = environments.completed(environment, asked)
    own = complete.put(container, f"{place.folder}-asked", place.user)
    return Prepared(build(own, complete.options), complete, tuple(map(str, asked)))


def _lacks_something(error: InstallError) -> bool:
    """Whether a module was missing, or was looked for in the network."""
    return wants_more(error.log) or (isinstance(error, BuildError) and NETWORK in error.kinds)


def unprepared(package: str, version: str, reason: str) -> BuildError:
    """The error of a build whose requirements cannot be had, for *reason*."""
    return BuildError(
        package,
        version,
        what=f"{package} {version}".rstrip()
        + f" could not be built ({RESOLUTION}): its build requirements are not available: {reason}",
        kinds=(RESOLUTION,),
        excerpt=reason,
        why="a build has no network: what it needs is fetched before",
        next_step="pin a release with a wheel; or let pip fetch during the build: "
        "--arm64-build-network",
        log=reason,
    )
