"""The environment of a build: its requirements, unpacked on the host and laid beside the sources.

pip would install them anew for each build, under emulation. Where they cannot be planned, there is
none, and pip's own isolation does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from ..audit.auditor import Auditor
from ..audit.builds import DEFAULT, BuildsError, build_requirements
from ..config.cell import Python
from ..config.toml_files import TomlFiles
from ..engine.container import Container
from ..errors import Arm64Error
from ..index.fetch import Fetcher
from ..index.simple import file_of
from ..inputs.reading import strings, table
from ..inputs.requirements import Wishes
from .bytecode import Compiler
from .pip_installer import PIP_SITE
from .plan import NotPlannableError, PlannedPackage, PlanRequest, plan_build
from .tree import ENV, HOME, TarEntry, tar_of, with_parents
from .wheel_cache import fetch
from .wheel_layer import Layer, layer_of

_PREFIX = f"{HOME}/requirements"
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/var/lang/bin"
# What backends ask for when they are asked, and do not write down.
_ASKED_FOR = {"setuptools": ("wheel",), "hatchling": ("editables",)}
_WANTING = ("ModuleNotFoundError", "BackendUnavailable", "Cannot import '")


@dataclass(frozen=True)
class BuildEnvironment:
    """Unpacked requirements of one build."""

    layers: tuple[Layer, ...]
    python: Python

    options = ("--no-build-isolation",)

    def put(self, container: Container, folder: str) -> dict[str, str]:
        """Lay them below *folder*; the variables by which a build finds them."""
        container.put("/", tar_of(with_parents({folder: TarEntry(mode=0o755)})))
        for layer in self.layers:
            container.put(folder, layer.path.read_bytes() + bytes(1024))
        prefix = f"{folder}{_PREFIX}"
        return {
            "PYTHONPATH": f"{PIP_SITE}:{prefix}/{self.python.purelib}",
            "PATH": f"{prefix}/bin:{ENV}/bin:{_SYSTEM_PATH}",
        }


class BuildEnvironments:
    """Makes environments from what builds say that they need."""

    def __init__(
        self, plan_request: PlanRequest, auditor: Auditor, fetcher: Fetcher, compiler: Compiler
    ) -> None:
        self._plan_request = plan_request
        self._auditor = auditor
        self._fetcher = fetcher
        self._compiler = compiler

    def for_file(self, package: PlannedPackage) -> BuildEnvironment | None:
        """The environment for the source distribution of *package*."""
        file = file_of(package.name, package.file, package.url, {"hashes": _hashes(package)})
        if file is None:
            return None
        index = self._auditor.index(Wishes("", ()))
        try:
            return self._environment(build_requirements(index, package.name, file))
        except (BuildsError, NotPlannableError, Arm64Error):
            return None

    def for_folders(self, folders: Sequence[Path]) -> BuildEnvironment | None:
        """One environment for all local projects in *folders*."""
        try:
            toml = self._plan_request.manifest.toml
            return self._environment([r for folder in folders for r in _of_folder(folder, toml)])
        except (InvalidRequirement, NotPlannableError, Arm64Error):
            return None

    def _environment(self, requirements: Iterable[Requirement]) -> BuildEnvironment:
        wanted = list(requirements)
        for name in {canonicalize_name(requirement.name) for requirement in wanted}:
            wanted += [Requirement(text) for text in _ASKED_FOR.get(name, ())]
        python = self._plan_request.ran.python
        packages = plan_build(self._plan_request, self._auditor, wanted)
        layers = [
            layer_of(fetch(self._fetcher, p), p.sha256, _PREFIX, python, self._compiler)
            for p in packages
        ]
        return BuildEnvironment(tuple(layers), python)


def wants_more(log: str) -> bool:
    """Whether a build failed for want of a module: it may ask for more than it writes down."""
    return any(word in log for word in _WANTING)


def _hashes(package: PlannedPackage) -> dict[str, str]:
    return {"sha256": package.sha256} if package.sha256 else {}


def _of_folder(folder: Path, toml: TomlFiles) -> Iterable[Requirement]:
    system = table(toml.data(folder / "pyproject.toml"), "build-system")
    texts = strings(system["requires"]) if "requires" in system else list(DEFAULT)
    return [Requirement(text) for text in texts]
