"""The environment of a build: its requirements, unpacked on the host and laid beside the sources.

pip would install them again for each build, under emulation, and a build would need the network.
Back ends that may need more than they write down are asked (PEP 517).
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..audit.auditor import Auditor
from ..audit.builds import DEFAULT, BuildsError, build_requirements
from ..audit.matrix import SOURCE
from ..config.cell import Python
from ..config.toml_files import TomlFiles
from ..engine.container import Container
from ..errors import Arm64Error
from ..index.fetch import Fetcher
from ..index.simple import file_of
from ..inputs.reading import strings, table
from ..inputs.requirements import RequirementSet
from .bytecode import Compiler
from .pip_container import BUILD, PIP_SITE
from .plan import PlanRequest, plan_build
from .planned_scope import NotPlannableError, PlannedPackage
from .tree import ENV, HOME, PYTHON, Owner, TarEntry, tar_of, with_parents
from .wheel_cache import fetch, hash_of
from .wheel_layer import Layer, layer_of

_PREFIX = f"{HOME}/requirements"
ANSWER = f"{BUILD}/asked.json"
"""The file in the builder with what back ends answered."""
METADATA = "metadata"
"""The hook that gives a project's core metadata."""
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/var/lang/bin"
# What back ends ask for that are not asked, which takes seconds under emulation.
_ASKED_FOR = {"setuptools": ("wheel",), "hatchling": ("editables",)}
# Builds that need nothing else have a back end whose answer is known.
_PREDICTABLE = frozenset(
    [
        *("setuptools", "wheel", "setuptools-scm", "cython", "numpy", "hatchling", "hatch-vcs"),
        *("editables", "flit-core", "poetry-core", "pdm-backend"),
    ]
)
_MAXIMUM_ASKED = 100
_CHUNK = 2**20
# The last is how pip 26 words the second.
_WANTING = ("ModuleNotFoundError", "BackendUnavailable", "Cannot import '", "backend-unavailable")


class BackendSource(NamedTuple):
    """A project whose build back end can be asked, as it lies in the builder."""

    path: str
    """An archive or a folder."""
    subdirectory: str
    hook: str
    """``wheel``, ``editable`` or ``metadata``."""


@dataclass(frozen=True)
class BuildEnvironment:
    """Unpacked requirements of one build."""

    requirements: tuple[Requirement, ...]
    packages: tuple[PlannedPackage, ...]
    layers: tuple[Layer, ...]
    python: Python
    hashes: tuple[str, ...] = ()
    """SHA-256 of each wheel that was unpacked."""

    options = ("--no-build-isolation",)

    @property
    def identity(self) -> list[list[str]]:
        """Name, version and hash of everything that is unpacked, for the key of what it builds."""
        rows = zip(self.packages, self.hashes, strict=True)
        return [[package.name, package.version, sha256] for package, sha256 in rows]

    def put(self, container: Container, folder: str, user: Owner) -> dict[str, str]:
        """Lay them below *folder*, which is *user*'s; the variables by which a build finds them."""
        own = TarEntry(mode=0o755, uid=user.uid, gid=user.gid)
        container.put("/", tar_of(with_parents({folder: own}, uid=user.uid, gid=user.gid)))
        for layer in self.layers:
            container.put(folder, _chunks(layer.path))
        prefix = f"{folder}{_PREFIX}"
        return {
            "PYTHONPATH": f"{PIP_SITE}:{prefix}/{self.python.purelib}",
            "PATH": f"{prefix}/bin:{ENV}/bin:{_SYSTEM_PATH}",
        }

    @property
    def predictable(self) -> bool:
        """Whether it is known what the back end asks for."""
        names = {canonicalize_name(requirement.name) for requirement in self.requirements}
        return names <= _PREDICTABLE

    def ask(
        self, container: Container, variables: Mapping[str, str], sources: Sequence[BackendSource]
    ) -> list[Requirement]:
        """What the back ends of *sources* ask for and is not here; *variables* lead to it.

        A back end that fails asks for nothing: its build fails for the same reason, in words.
        """
        if container.run(ask_command(sources), environment=variables).code != 0:
            return []
        return [r for r in parsed_answer(container.read(ANSWER)) if not self._has(r)]

    def _has(self, requirement: Requirement) -> bool:
        name = canonicalize_name(requirement.name)
        versions = [p.version for p in self.packages if canonicalize_name(p.name) == name]
        return any(requirement.specifier.contains(v, prereleases=True) for v in versions)


def ask_command(sources: Sequence[BackendSource]) -> list[str]:
    """The command that asks the back ends of *sources*; it writes to ``ANSWER``."""
    program = resources.files("pytest_arm64.environment").joinpath("ask_backend.py")
    return [PYTHON, "-B", "-c", program.read_text("utf-8"), ANSWER, json.dumps(sources)]


def parsed_answer(answer: bytes) -> list[Requirement]:
    """The requirements that back ends asked for; what is no requirement is left out."""
    try:
        texts = json.loads(answer)
    except (ValueError, RecursionError):
        return []
    requirements = []
    for text in texts[:_MAXIMUM_ASKED] if isinstance(texts, list) else ():
        with contextlib.suppress(ValueError, RecursionError, TypeError):
            requirements.append(Requirement(text))
    return requirements


class UnpreparedError(Exception):
    """The requirements of a build cannot be prepared; the text says why."""


class BuildEnvironments:
    """Makes environments from what builds say that they need."""

    def __init__(
        self,
        plan_request: PlanRequest,
        auditor: Auditor,
        fetcher: Fetcher,
        compiler: Compiler,
        built: Callable[[PlannedPackage], Path],
    ) -> None:
        """*built* gives the wheel of a requirement that is a source distribution itself."""
        self._plan_request = plan_request
        self._auditor = auditor
        self._fetcher = fetcher
        self._compiler = compiler
        self._built = built

    def for_file(self, package: PlannedPackage) -> BuildEnvironment:
        """The environment for the source distribution of *package*.

        Raises:
            UnpreparedError: some of it cannot be had, or is not certain.
        """
        file = file_of(package.name, package.file, package.url, {"hashes": _hashes(package)})
        if file is None:
            raise UnpreparedError(f"{package.file} is no source distribution")
        index = self._auditor.index(RequirementSet("", ()))
        try:
            return self._environment(build_requirements(index, package.name, file))
        except BuildsError as error:
            raise UnpreparedError(str(error)) from None

    def for_folders(self, folders: Sequence[Path]) -> BuildEnvironment:
        """One environment for all local projects in *folders*.

        Raises:
            UnpreparedError: some of it cannot be had, or is not certain.
        """
        toml = self._plan_request.manifest.toml
        try:
            requirements = [r for folder in folders for r in _of_folder(folder, toml)]
        except ValueError as error:
            raise UnpreparedError(f"a build requirement cannot be read: {error}") from None
        return self._environment(requirements)

    def completed(
        self, environment: BuildEnvironment, asked: Iterable[Requirement]
    ) -> BuildEnvironment:
        """*environment* with what a back end has *asked* for besides.

        Raises:
            UnpreparedError: some of it cannot be had, or is not certain.
        """
        return self._environment([*environment.requirements, *asked])

    def _environment(self, requirements: Iterable[Requirement]) -> BuildEnvironment:
        wanted = list(requirements)
        for name in {canonicalize_name(requirement.name) for requirement in wanted}:
            wanted += [Requirement(text) for text in _ASKED_FOR.get(name, ())]
        python = self._plan_request.ran.python
        layers, hashes = [], []
        try:
            packages = plan_build(self._plan_request, self._auditor, wanted)
            for package in packages:
                wheel, sha256 = self._wheel(package)
                layers.append(layer_of(wheel, sha256, _PREFIX, python, self._compiler))
                hashes.append(sha256)
        except (NotPlannableError, Arm64Error) as error:
            raise UnpreparedError(str(error)) from None
        return BuildEnvironment(
            tuple(wanted), tuple(packages), tuple(layers), python, tuple(hashes)
        )

    def _wheel(self, package: PlannedPackage) -> tuple[Path, str]:
        if package.state == SOURCE:
            wheel = self._built(package)
            return wheel, hash_of(wheel)
        wheel = fetch(self._fetcher, package)
        return wheel, package.sha256 or hash_of(wheel)


def _chunks(layer: Path) -> Iterator[bytes]:
    with layer.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk
    yield bytes(1024)


def wants_more(log: str) -> bool:
    """Whether a build failed for want of a module: it may ask for more than it writes down."""
    return any(word in log for word in _WANTING)


def _hashes(package: PlannedPackage) -> dict[str, str]:
    return {"sha256": package.sha256} if package.sha256 else {}


def _of_folder(folder: Path, toml: TomlFiles) -> Iterable[Requirement]:
    system = table(toml.data(folder / "pyproject.toml"), "build-system")
    texts = strings(system["requires"]) if "requires" in system else list(DEFAULT)
    return [Requirement(text) for text in texts]
