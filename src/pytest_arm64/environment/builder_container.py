"""Where source distributions are built: each in a fresh container, so that none reaches another.

What a source distribution does not say for certain of itself is known after its build. The audit
asks here, and the wheel that answers it is the one that is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from packaging.requirements import Requirement

from ..audit.auditor import Auditor
from ..audit.builds import keep_built_metadata
from ..audit.matrix import DEPLOY, SOURCE
from ..config.cell import Cell, ImageFacts
from ..engine.container import Container
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..engine.images import Base
from ..errors import InstallError, OverdueBuildError, OverdueCommandError
from ..index.archives import ArchiveError, wheel_metadata
from ..index.fetch import Fetcher
from ..index.metadata import Metadata, MetadataError, parse_metadata
from ..index.simple import IndexFile, file_of
from .build_environment import (
    ANSWER,
    METADATA,
    BackendSource,
    BuildEnvironment,
    BuildEnvironments,
    UnpreparedError,
    ask_command,
)
from .build_notice import build_notice, remember_build
from .bytecode import Compiler
from .cross import CrossBuilder, NoCrossCompilerError
from .failures import Tools, overdue_build
from .local_projects import (
    BuiltMetadata,
    metadata_failure,
    metadata_in_answer,
    parse_built_metadata,
)
from .pip_container import BUILD, Request, bring_local_files, build_user, builder_container
from .plan import PlanRequest
from .planned_scope import PlannedPackage
from .prepared_build import BuildPlace, Prepared, run_prepared, unprepared
from .source_builds import Built, BuiltWheels, Source, WheelFile, build, lay_source, recipe_of
from .tree import PYTHON
from .wheel_cache import fetch

_DEEPEST = 4
"""Builds, each of which needs the next one."""


@dataclass(frozen=True)
class Host:
    """What installations are made with."""

    engine: Engine
    cell: Cell
    ran: ImageFacts
    builder: Callable[[], Base]
    """Gives the builder image; it is made where it is asked for."""
    cross: Callable[[Base], CrossBuilder] | None = None
    """Gives that builder a cross compiler; None where everything is compiled under emulation."""


class SourceBuilder:
    """Builds each source distribution once."""

    def __init__(
        self,
        host: Host,
        request: Request,
        plan_request: PlanRequest,
        compiler: Compiler,
        *,
        refresh: bool = False,
    ) -> None:
        """*refresh* builds what an earlier one has built too."""
        self._host = host
        self._request = request
        self._plan_request = plan_request
        self._compiler = compiler
        self._builder: Base | None = None
        self._cross: CrossBuilder | None = None
        self.not_crossed = ""
        """Why builds are emulated as a whole though a cross compiler was asked for."""
        self._building: list[str] = []
        """Source distributions, each of which is needed by the build of the one before."""
        self._refresh = refresh
        self._made: dict[tuple[str, str], Built] = {}
        """By label and address."""
        self.tell: Callable[[str], object] = str
        """Called with what is being done."""
        self.say: Callable[[str], object] = str
        """Called with what is worth a line of its own."""

    def container(
        self, image: Base | None = None, *, projects: bool
    ) -> AbstractContextManager[Container]:
        """A fresh builder container with pip, in which an unprivileged user builds.

        With *projects*, it has everything that the project's files name; these build each other.
        *image* is another builder than the plain one.
        """
        host, request = self._host, self._request
        return builder_container(
            host.engine,
            host.cell,
            host.ran,
            image or self._image(),
            request,
            network=request.build_network,
            projects=projects,
            longest=request.build_timeout,
        )

    @contextmanager
    def in_time(self, name: str, version: str) -> Iterator[None]:
        """Have a build of *name* that takes too long end with an error that says so.

        Raises:
            OverdueBuildError: it takes longer than the user gives one.
        """
        try:
            yield
        except OverdueCommandError as error:
            if not self._request.build_timeout:
                raise
            raise overdue_build(name, version, error, self._request.build_timeout) from None

    @property
    def variables(self) -> dict[str, str]:
        """Variables of every build."""
        # Those that requirement files name stay here: pip reads no such file for these builds.
        return dict(qemu_environment(self._host.cell, self._host.engine))

    def build_environments(self, auditor: Auditor, fetcher: Fetcher) -> BuildEnvironments:
        """What lays build requirements beside sources, those that are built themselves included."""

        def wheel_of(package: PlannedPackage) -> Path:
            return self.built(package, auditor, fetcher)[1].wheel

        return BuildEnvironments(
            self._plan_request, auditor, fetcher, self._compiler, built=wheel_of
        )

    def built(
        self, package: PlannedPackage, auditor: Auditor, fetcher: Fetcher
    ) -> tuple[Source, Built]:
        """The wheel of the source distribution *package*, built once here, or before.

        Raises:
            InstallError: it cannot be fetched or built.
        """
        source = Source(package, fetch(fetcher, package))
        key = (source.label, package.url)
        if key not in self._made:
            self._made[key] = self._built(source, self.build_environments(auditor, fetcher))
        return source, self._made[key]

    def _built(self, source: Source, environments: BuildEnvironments) -> Built:
        package = source.package
        if source.label in self._building or len(self._building) >= _DEEPEST:
            reason = f"it is needed to build {' to build '.join(reversed(self._building))}"
            raise unprepared(package.name, package.version, reason)
        self._building.append(source.label)
        try:
            environment = self._environment(package, environments)
            config = self._request.config if self._request.build_network else None
            recipe = recipe_of(source, self.variables, environment, config)
            image = self._image()
            plain = BuiltWheels(image, self._host.ran, recipe)
            return (
                self._find(plain, source, environment, environments)
                or self._cross_built(source, recipe, environment, environments)
                or self._build(image, plain, source, environment, environments)
            )
        except UnpreparedError as error:
            raise unprepared(package.name, package.version, str(error)) from None
        finally:
            self._building.pop()

    def _find(
        self,
        built_wheels: BuiltWheels,
        source: Source,
        environment: BuildEnvironment | None,
        environments: BuildEnvironments,
    ) -> Built | None:
        wheel = None if self._refresh else built_wheels.find(source)
        if wheel is None or not self._asks_for_the_same(wheel, environment, environments):
            return None
        return wheel

    def _cross_built(
        self,
        source: Source,
        recipe: Mapping[str, object],
        environment: BuildEnvironment | None,
        environments: BuildEnvironments,
    ) -> Built | None:
        """The wheel of *source* by a cross compiler; None without one, or if it fails:
        then the builder's own compiler decides."""
        cross = self._cross_builder()
        if cross is None:
            return None
        wheels = BuiltWheels(cross.image, self._host.ran, recipe, cross.compiler)
        found = self._find(wheels, source, environment, environments)
        if found is not None:
            return found
        try:
            return self._build(cross.image, wheels, source, environment, environments)
        except OverdueBuildError:
            raise  # the builder's own compiler takes longer still
        except InstallError:
            return None

    def _cross_builder(self) -> CrossBuilder | None:
        if self._host.cross is None or self.not_crossed:
            return None
        if self._cross is None:
            try:
                self._cross = self._host.cross(self._image())
            except NoCrossCompilerError as error:
                self.not_crossed = str(error)
        return self._cross

    def _environment(
        self, package: PlannedPackage, environments: BuildEnvironments
    ) -> BuildEnvironment | None:
        """What the build of *package* needs; None where pip may fetch it during the build."""
        try:
            return environments.for_file(package)
        except UnpreparedError:
            if not self._request.build_network:
                raise
            return None

    def _asks_for_the_same(
        self, wheel: Built, environment: BuildEnvironment | None, environments: BuildEnvironments
    ) -> bool:
        """Whether what the back end asked for, when *wheel* was built, is still the same."""
        if environment is None or not wheel.asked:
            return True
        try:
            complete = environments.completed(environment, map(Requirement, wheel.asked))
        except (UnpreparedError, ValueError):
            return False
        return complete.identity == wheel.requirements

    def metadata(
        self, auditor: Auditor, fetcher: Fetcher, project: str, file: IndexFile
    ) -> Metadata | None:
        """What the wheel says that *file*, a source distribution, is built to.

        None where it is needed by its own build.

        Raises:
            InstallError: it cannot be fetched or built.
        """
        if len(self._building) >= _DEEPEST or f"{project} {file.version}" in self._building:
            return None
        package = PlannedPackage(
            project, file.version, DEPLOY, SOURCE, file.name, file.url, file.sha256
        )
        _, built = self.built(package, auditor, fetcher)
        wheel = file_of(project, built.wheel.name, "", {})
        if wheel is None:
            return None
        try:
            with built.wheel.open("rb") as stream:
                parsed = parse_metadata(wheel_metadata(stream, project), project, wheel)
        except (ArchiveError, MetadataError, OSError):
            return None
        # The audit, which has no engine, knows it the next time.
        ran = self._host.ran
        keep_built_metadata(file, ran.machine, ran.python.minor, parsed)
        return parsed

    def project(self, auditor: Auditor, fetcher: Fetcher, folder: Path) -> BuiltMetadata | None:
        """What the build back end of the project in *folder* says of it.

        None where pip may fetch what the back end needs, which is then pip's to ask.

        Raises:
            InstallError: the back end failed, or what it needs cannot be had.
        """
        self.tell(f"asking the build back end of {folder.name} what it depends on")
        environments = self.build_environments(auditor, fetcher)
        try:
            environment = environments.for_folders([folder])
            with self.in_time(folder.name, ""), self.container(projects=True) as container:
                source = BackendSource(str(folder), "", METADATA)
                user = build_user(self._host.engine)
                place = BuildPlace(container, f"{BUILD}/metadata", user, self.variables, [source])

                def ask(own: Mapping[str, str], _: Sequence[str]) -> bytes:
                    return self._answer(container, source, {**place.variables, **own})

                content = run_prepared(place, environments, environment, ask, None).result
        except UnpreparedError as error:
            if self._request.build_network:
                return None
            raise unprepared(folder.name, "", str(error)) from None
        return parse_built_metadata(content, folder.name)

    def _answer(
        self, container: Container, source: BackendSource, variables: Mapping[str, str]
    ) -> bytes:
        finished = container.run(ask_command([source]), environment=variables)
        if finished.code == 0:
            return metadata_in_answer(container.read(ANSWER))
        tools = Tools(self._host.cell.target.manager, self._host.ran.python.minor)
        raise metadata_failure(Path(source.path).name, finished.text, tools)

    def _image(self) -> Base:
        if self._builder is None:
            self._builder = self._host.builder()
        return self._builder

    def _build(
        self,
        image: Base,
        built_wheels: BuiltWheels,
        source: Source,
        environment: BuildEnvironment | None,
        environments: BuildEnvironments,
    ) -> Built:
        host, package = self._host, source.package
        self.tell(f"building {source.label}")
        self.say(build_notice(source, host.ran, built_wheels.compiler))
        tools = Tools(host.cell.target.manager, host.ran.python.minor)
        # Of one package several releases may be built, until one fits the others.
        folder = f"{BUILD}/{package.name}-{package.version}"
        variables, user = self.variables, build_user(host.engine)
        command = (PYTHON, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir")
        tries = count(1)
        with (
            self.in_time(package.name, package.version),
            self.container(image, projects=source.path.is_dir()) as container,
        ):
            file = lay_source(container, source, folder, user)

            def run(own: Mapping[str, str], options: Sequence[str]) -> WheelFile:
                out = f"{folder}/{next(tries)}"
                pip = [*command, *options]
                return build(container, pip, source, file, out, {**variables, **own}, tools, user)

            def run_isolated(own: Mapping[str, str], options: Sequence[str]) -> WheelFile:
                bring_local_files(container, self._request)
                return run(own, options)

            sources = [BackendSource(file, source.subdirectory, "wheel")]
            place = BuildPlace(container, folder, user, variables, sources)
            isolated = run_isolated if self._request.build_network else None
            made: Prepared[WheelFile] = run_prepared(
                place, environments, environment, run, isolated
            )
        remember_build(source, host.ran, built_wheels.compiler, made.result.seconds)
        with made.result.content:
            return built_wheels.store(source, made)
