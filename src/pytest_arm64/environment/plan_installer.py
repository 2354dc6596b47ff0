"""The plan installer: files are unpacked where they belong, and only what must be is run inside.

Wheels are laid out on the host, which takes a fraction of the time that an emulated installer
needs. Source distributions, and local projects, are built by pip in the builder.
"""

from __future__ import annotations

import os
import posixpath
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO

from packaging.utils import parse_wheel_filename

from .. import cache
from ..audit.auditor import Auditor
from ..audit.matrix import BLOCKER, SOURCE, TEST
from ..errors import InstallError
from ..index.fetch import Fetcher
from ..index.pip_config import strip_credentials
from ..index.workers import DaemonWorkers, in_background
from ..inside.counted import counted
from ..progress import Progress, Step
from .build_environment import (
    BackendSource,
    BuildEnvironment,
    BuildEnvironments,
    UnpreparedError,
)
from .builder_container import Host, SourceBuilder
from .bytecode import Compiler, compiler_for
from .pip_container import BUILD, Request, bring_local_files, build_user
from .pip_installer import Installation, run_pip
from .plan import PlanRequest, make_plan
from .planned_scope import InstallPlan, LocalPlaces, PlannedPackage
from .prepared_build import BuildPlace, run_prepared, unprepared
from .record import Installed
from .source_builds import Built, Source
from .taken_packages import take_packages
from .tree import ENV, HOME, TESTS, TarEntry, tar_of, with_parents
from .venv import venv_entries
from .wheel_cache import check_hash, fetch
from .wheel_layer import Layer, cached_layer, layer_of, write_together

NAME = "plan"
_SECONDS = 3600.0
"""For everything that is fetched, source distributions between builds included."""
_TRIES = 3
_PREFIXES = {"deploy": ENV, "test": TESTS}


@dataclass(frozen=True)
class Unpacked:
    """One package, ready to be copied."""

    package: PlannedPackage
    layer: Layer
    size: int
    """Bytes of what was fetched."""
    built: Built | None = None
    intact: Future[bool] | None = None
    """Whether its layer, which was cached, is as it was made; None where it was made just now."""


def install(
    host: Host, request: Request, progress: Progress, *, offline: bool, refresh: bool
) -> Installation:
    """Install both scopes as the audit resolves them.

    Raises:
        NotPlannableError: the audit cannot decide; pip has to.
        InstallError: a file cannot be had, is hostile, or cannot be built.
    """
    plan_request = PlanRequest(
        request.manifest,
        request.runner,
        request.config,
        host.cell,
        host.ran,
        request.pins,
        request.there,
    )
    compiler = compiler_for(host.ran.python)
    source_builder = SourceBuilder(host, request, plan_request, compiler, refresh=refresh)
    with Auditor(
        offline=offline,
        refresh=refresh,
        config=request.config,
        time_limit=_SECONDS,
        metadata=source_builder.metadata,
    ) as auditor:
        with progress.step("resolve") as step:
            source_builder.tell = auditor.say = step.update
            source_builder.say = step.say
            plan, fetcher = make_plan(plan_request, auditor, source_builder.project)
            step.update(counted(len(plan.packages), "package"))
        work = _Work(host, request, auditor, fetcher, compiler, source_builder)
        with progress.step(f"unpack {counted(len(plan.packages), 'package')}") as step:
            unpacked = work.unpack(plan, step)
        built: list[Unpacked] = []
        project: IO[bytes] | None = None
        if plan.of_state(SOURCE) or plan.editable or plan.folders:
            with progress.step("build") as step:
                source_builder.tell, source_builder.say = step.update, step.say
                built, project = work.build(plan, step)
    with project or nullcontext():
        for _ in range(_TRIES):
            made = _together(host, plan, [*unpacked, *built], project, work.local)
            if all(u.intact is None or u.intact.result() for u in unpacked):
                return replace(made, not_crossed=source_builder.not_crossed)
            made.files.close()
            with progress.step("unpack again what was damaged in the cache") as step:
                unpacked = work.unpack(plan, step)
    raise InstallError(
        "unpacked wheels in the cache are changed while they are used",
        next_step=f"see what writes to {cache.cache_folder()}",
    )


class _Work:
    def __init__(
        self,
        host: Host,
        request: Request,
        auditor: Auditor,
        fetcher: Fetcher,
        compiler: Compiler,
        source_builder: SourceBuilder,
    ) -> None:
        self._host = host
        self._request = request
        self._auditor = auditor
        self._fetcher = fetcher
        self._compiler = compiler
        self._source_builder = source_builder
        self.local: list[Installed] = []
        """Local projects, as pip reports them."""

    def unpack(self, plan: InstallPlan, step: Step) -> list[Unpacked]:
        """Every wheel of *plan*, several at once."""
        wheels = [p for p in plan.packages if p.state not in (SOURCE, BLOCKER)]
        # Fetching waits, unpacking computes: twice as many as there are processors.
        workers = DaemonWorkers(2 * (os.cpu_count() or 1) + 2)
        futures = [workers.submit(partial(self._unpacked, package)) for package in wheels]
        workers.close()
        unpacked = []
        try:
            for future in futures:
                done = future.result()
                unpacked.append(done)
                step.update(done.package.file, len(unpacked) / len(wheels))
        finally:
            for future in futures:
                future.cancel()  # after Ctrl-C, or an error
        return unpacked

    def _unpacked(self, package: PlannedPackage) -> Unpacked:
        place = (_PREFIXES[package.scope], self._host.ran.python, self._compiler)
        layer = None
        if package.sha256:
            check_hash(package, package.sha256)
            # Then nothing of the wheel itself is used, so that it need not be read.
            layer = cached_layer(package.file, package.sha256, *place)
        if layer is not None:
            # Checked while it is copied: both take as long.
            return Unpacked(package, layer, layer.fetched, intact=in_background(layer.is_intact))
        layer = layer_of(fetch(self._fetcher, package), package.sha256, *place)
        return Unpacked(package, layer, layer.fetched)

    def build(self, plan: InstallPlan, step: Step) -> tuple[list[Unpacked], IO[bytes] | None]:
        """Every source distribution of *plan*, and a tar of what local projects install."""
        unpacked = []
        for package in plan.of_state(SOURCE):
            source, built = self._source_builder.built(package, self._auditor, self._fetcher)
            unpacked.append(self._built(source, built))
        project = None
        if plan.editable or plan.folders:
            step.update("installing the project")
            project = self._project(plan, step)
        return unpacked, project

    def _built(self, source: Source, built: Built) -> Unpacked:
        prefix = _PREFIXES[source.package.scope]
        layer = layer_of(built.wheel, "", prefix, self._host.ran.python, self._compiler)
        return Unpacked(source.package, layer, source.path.stat().st_size, built)

    def _project(self, plan: InstallPlan, step: Step) -> IO[bytes]:
        environments = self._source_builder.build_environments(self._auditor, self._fetcher)
        try:
            environment = environments.for_folders([*plan.editable, *plan.folders])
        except UnpreparedError as error:
            if not self._request.build_network:
                raise unprepared("the project", "", str(error)) from None
            environment = None
        builder = self._source_builder
        with builder.in_time("the project", ""), builder.container(projects=True) as container:
            place = BuildPlace(
                container,
                f"{BUILD}/projects",
                build_user(self._host.engine),
                self._source_builder.variables,
                [
                    *(BackendSource(str(folder), "", "wheel") for folder in plan.folders),
                    *(BackendSource(str(folder), "", "editable") for folder in plan.editable),
                ],
            )
            try:
                self._install_projects(place, environments, environment, plan.projects, step)
            except UnpreparedError as error:
                raise unprepared("the project", "", str(error)) from None
            if not plan.projects[TEST]:
                with container.fetch(ENV) as archive:
                    return take_packages(archive, HOME, whole=False)
            container.run(["rm", "-rf", BUILD])
            with container.fetch(HOME) as archive:
                return take_packages(archive, posixpath.dirname(HOME), whole=False)

    def _install_projects(
        self,
        place: BuildPlace,
        environments: BuildEnvironments,
        environment: BuildEnvironment | None,
        projects: Mapping[str, LocalPlaces],
        step: Step,
    ) -> None:
        root = self._request.manifest.root

        def run(own: Mapping[str, str], options: Sequence[str]) -> list[Installed]:
            variables = {**place.variables, **own}
            installed: list[Installed] = []
            for scope, places in projects.items():
                if places:
                    arguments = [*options, *_arguments(scope, places)]
                    installed += run_pip(place.container, root, variables, scope, arguments, step)
            return installed

        def isolated(own: Mapping[str, str], options: Sequence[str]) -> list[Installed]:
            bring_local_files(place.container, self._request)
            return run(own, options)

        may_fetch = isolated if self._request.build_network else None
        self.local += run_prepared(place, environments, environment, run, may_fetch).result


def _arguments(scope: str, places: LocalPlaces) -> Iterator[str]:
    yield "--no-deps"
    if scope == TEST:
        yield from ("--prefix", TESTS)
    yield from map(str, places.folders)
    for folder in places.editable:
        yield from ("-e", str(folder))


def _together(
    host: Host,
    plan: InstallPlan,
    unpacked: Sequence[Unpacked],
    project: IO[bytes] | None,
    local: Sequence[Installed],
) -> Installation:
    order = {(p.name, p.scope): number for number, p in enumerate(plan.packages)}
    ready = sorted(unpacked, key=lambda u: order[u.package.name, u.package.scope])
    # The skeleton goes last, so that no wheel replaces the interpreter's own files.
    skeleton = tar_of(with_parents({**venv_entries(host.ran.python), HOME: TarEntry(mode=0o755)}))
    files: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    try:
        shared = write_together(files, [u.layer for u in ready], project, skeleton)
        files.seek(0)
    except OSError as error:
        files.close()
        raise InstallError(
            f"the packages could not be put together: {error}",
            next_step="try again: the disk may be full, or another process pruned the cache",
        ) from None
    except BaseException:
        files.close()
        raise
    notes = [f"{u.package.file}: {lie}" for u in ready for lie in u.layer.lies]
    notes += [f"{path} is in more than one package" for path in shared]
    return Installation(
        packages=[*(_installed(u) for u in ready), *local],
        files=files,
        at="/",
        notes=tuple(notes),
        changed=plan.changed,
        missing=tuple(f"{p.name} {p.version}" for p in plan.of_state(BLOCKER)),
        uncompiled=not all(u.layer.compiled for u in ready) or project is not None,
    )


def _installed(unpacked: Unpacked) -> Installed:
    package, built = unpacked.package, unpacked.built
    return Installed(
        name=unpacked.layer.name or package.name,
        version=package.version or (_version(built.wheel) if built is not None else ""),
        scope=package.scope,
        state=package.state,
        file=package.file,
        url=strip_credentials(package.url).partition("?")[0],
        hash=f"sha256:{package.sha256}" if package.sha256 else "",
        requested=package.requested,
        size=unpacked.size,
        unpacked=unpacked.layer.size,
        seconds=built.seconds if built is not None else 0.0,
        log=built.log if built is not None else "",
        kept=built is not None and not built.fresh,
        cross=built.cross if built is not None else "",
    )


def _version(wheel: Path) -> str:
    """The version in the name of *wheel*, which a build has just given it."""
    with suppress(ValueError):
        return str(parse_wheel_filename(wheel.name)[1])
    return ""
