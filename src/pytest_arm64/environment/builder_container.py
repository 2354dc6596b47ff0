"""Where source distributions are built: each in a fresh container, so that none reaches another.

What a source distribution does not say for certain of itself is known after its build. The audit
asks here, and the wheel that answers it is the one that is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ..audit.auditor import Auditor
from ..audit.built_metadata import keep_built_metadata
from ..audit.matrix import DEPLOY, SOURCE
from ..config.cell import Cell, ImageFacts
from ..engine.container import Container
from ..engine.emulation import qemu_environment
from ..engine.endpoint import Engine
from ..engine.images import Base
from ..errors import InstallError
from ..index.archives import ArchiveError, wheel_metadata
from ..index.fetch import Fetcher
from ..index.metadata import Metadata, MetadataError, parse_metadata
from ..index.simple import IndexFile, file_of
from . import pip_installer
from .build_environment import BackendSource, BuildEnvironments, wants_more
from .bytecode import Compiler
from .failures import Tools
from .plan import PlannedPackage, PlanRequest
from .source_builds import Built, BuiltWheels, Source, build, lay_source
from .tree import PYTHON, Owner
from .wheel_cache import fetch


@dataclass(frozen=True)
class Host:
    """What installations are made with."""

    engine: Engine
    cell: Cell
    ran: ImageFacts
    builder: Callable[[], Base]
    """Gives the builder image; it is made where it is asked for."""


def build_user(engine: Engine) -> Owner:
    """As whom builds run: nobody; in a rootless engine its root, which is the calling user."""
    return Owner() if engine.rootless else Owner(65534, 65534)


class SourceBuilder:
    """Builds each source distribution once."""

    def __init__(
        self,
        host: Host,
        request: pip_installer.Request,
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
        self._building = False
        self._refresh = refresh
        self._made: dict[str, Built] = {}
        self.tell: Callable[[str], object] = str
        """Called with what is being done."""

    def container(self, *, projects: bool) -> AbstractContextManager[Container]:
        """A fresh builder container with pip, in which an unprivileged user builds.

        With *projects*, it has everything that the project's files name; these build each other.
        """
        host, request = self._host, self._request
        return pip_installer.builder_container(
            host.engine,
            host.cell,
            host.ran,
            self._image(),
            request,
            user=build_user(host.engine),
            projects=projects,
        )

    @property
    def variables(self) -> dict[str, str]:
        """Variables of every build."""
        # Those that requirement files name stay here: pip reads no such file for these builds.
        return dict(qemu_environment(self._host.cell, self._host.engine))

    def build_environments(self, auditor: Auditor, fetcher: Fetcher) -> BuildEnvironments:
        """What lays build requirements beside sources."""
        return BuildEnvironments(self._plan_request, auditor, fetcher, self._compiler)

    def built(
        self, package: PlannedPackage, auditor: Auditor, fetcher: Fetcher
    ) -> tuple[Source, Built]:
        """The wheel of the source distribution *package*, built once here, or before.

        Raises:
            InstallError: it cannot be fetched or built.
        """
        source = Source(package, fetch(fetcher, package))
        recipe = {"pip": self._request.config.fingerprint(), "variables": self.variables}
        built_wheels = BuiltWheels(self._image(), self._host.ran, recipe)
        wheel = self._made.get(source.label)
        if wheel is None and not self._refresh:
            wheel = built_wheels.find(source)
        if wheel is None:
            self.tell(f"building {source.label}")
            wheel = self._build(built_wheels, source, self.build_environments(auditor, fetcher))
        self._made[source.label] = wheel
        return source, wheel

    def metadata(
        self, auditor: Auditor, fetcher: Fetcher, project: str, file: IndexFile
    ) -> Metadata | None:
        """What the wheel says that *file*, a source distribution, is built to.

        None where that does not count: for what another build needs.

        Raises:
            InstallError: it cannot be fetched or built.
        """
        if self._building:
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

    def _image(self) -> Base:
        if self._builder is None:
            self._builder = self._host.builder()
        return self._builder

    def _build(
        self, built_wheels: BuiltWheels, source: Source, environments: BuildEnvironments
    ) -> Built:
        tools = Tools(self._host.cell.target.manager, self._host.ran.python.minor)
        # Of one package several releases may be built, until one fits the others.
        folder = f"{pip_installer.BUILD}/{source.package.name}-{source.package.version}"
        variables, user = self.variables, build_user(self._host.engine)
        pip = [PYTHON, "-m", "pip", "wheel", "--no-deps", "--no-cache-dir"]
        with self.container(projects=source.path.is_dir()) as container:
            file = lay_source(container, source, folder, user)
            more, options = self._prepared(environments, container, source, file, folder)
            if not options:
                pip_installer.bring_local_files(container, self._request)
            command = [*pip, *options]
            try:
                made = build(
                    container, command, source, file, folder, variables | more, tools, user
                )
            except InstallError as error:
                if not options or not wants_more(error.log):
                    raise
                folder += "-isolated"
                pip_installer.bring_local_files(container, self._request)
                made = build(container, pip, source, file, folder, variables, tools, user)
        return built_wheels.store(source, *made)

    def _prepared(
        self,
        environments: BuildEnvironments,
        container: Container,
        source: Source,
        file: str,
        folder: str,
    ) -> tuple[dict[str, str], tuple[str, ...]]:
        sources = [BackendSource(file, source.subdirectory, "wheel")]
        self._building = True
        try:
            environment = environments.for_file(source.package)
            user = build_user(self._host.engine)
            return environments.prepare(
                environment, container, folder, self.variables, sources, user
            )
        finally:
            self._building = False
