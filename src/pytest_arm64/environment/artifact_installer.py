"""An artifact that is deployed already, with only the packages of the tests added."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from typing import IO

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..audit.matrix import DEPLOY, PURE, SOURCE, WHEEL
from ..config.artifact import IMAGE, Artifact
from ..config.cell import Python
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.images import Base
from ..errors import ImageError, InstallError
from ..inputs.artifact import (
    InstalledDistribution,
    artifact_tree,
    distributions_in,
    parse_distribution,
)
from ..progress import Progress
from . import consistency, plan_installer
from .artifact_files import Laid, lay
from .builder_container import Host
from .pip_container import Request
from .pip_installer import Installation
from .planned_scope import NotPlannableError
from .record import Installed
from .tree import ENV, TarEntry

# Before the file that brings the packages of the tests.
_PATHS = "aa_pytest_arm64_artifact.pth"


@dataclass(frozen=True)
class ImagePackages:
    """What the interpreter of an image finds there."""

    sites: tuple[str, ...]
    """The folders from which it imports, in order."""
    distributions: tuple[InstalledDistribution, ...]


def install(
    host: Host,
    base: Base,
    artifact: Artifact,
    request: Request,
    progress: Progress,
    *,
    offline: bool,
    refresh: bool,
) -> Installation:
    """*artifact* as it is, and the packages of the tests after everything in it.

    *base* is the image that runs: the artifact itself, or that of the target.

    Raises:
        ArtifactError: the artifact cannot be read.
        ImageError: the image does not tell what is installed in it.
        InstallError: what the tests need cannot be had beside what is there.
    """
    with progress.step(f"look at {artifact.shown}") as step:
        present = look(host, base)
        laid = None
        if artifact.kind != IMAGE:
            step.update("unpacking")
            laid = lay(artifact, host.cell.target)
            present = _over(artifact, laid, present)
    there = tuple(
        f"{distribution.name}=={distribution.version}" for distribution in present.distributions
    )
    names = {canonicalize_name(distribution.name) for distribution in present.distributions}
    # A pytest that is deployed is the one that runs.
    runner = tuple(r for r in request.runner if canonicalize_name(Requirement(r).name) not in names)
    try:
        made = plan_installer.install(
            host,
            replace(request, there=there, runner=runner),
            progress,
            offline=offline,
            refresh=refresh,
        )
    except NotPlannableError as error:
        raise InstallError(
            f"the packages of the tests cannot be planned together with {artifact.shown}: {error}",
            why="only a plan keeps them from replacing what is deployed",
            next_step="name what the tests need in requirements-test.txt, in releases of an index",
        ) from None
    return replace(
        made,
        packages=[
            *(_installed(distribution, artifact) for distribution in present.distributions),
            *made.packages,
        ],
        files=_joined(laid, made.files) if laid is not None else made.files,
        sites=present.sites,
        there=tuple(
            consistency.DistributionMetadata(
                distribution.name, distribution.version, distribution.requires
            )
            for distribution in present.distributions
        ),
        size=laid.size if laid is not None else 0,
    )


def paths_entry(python: Python, sites: Sequence[str]) -> dict[str, TarEntry]:
    """What has the environment's interpreter import from *sites*, by its path."""
    text = "".join(f"{site}\n" for site in sites)
    return {f"{ENV}/{python.purelib}/{_PATHS}": TarEntry(text.encode())}


def look(host: Host, base: Base) -> ImagePackages:
    """What the interpreter of *base* finds when it is started as the image starts programs.

    Raises:
        ImageError: it does not tell.
    """
    source = resources.files("pytest_arm64.inside").joinpath("installed.py").read_text("utf-8")
    python = host.ran.python
    # The one on the image's PATH may be that of a virtual environment.
    script = 'command -v "$1" >/dev/null 2>&1 && exec "$1" -c "$3"; exec "$2" -c "$3"'
    command = ["sh", "-c", script, "look", f"python{python.minor}", python.executable, source]
    plan = Plan(image=base.id, platform=host.cell.platform)
    with Container(host.engine, plan) as container:
        finished = container.run(command, environment=qemu_environment(host.cell, host.engine))
    try:
        answer = json.loads(finished.stdout)
        sites = tuple(str(site) for site in answer["sites"])
        listed = [_distribution(distribution) for distribution in answer["distributions"]]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise ImageError(
            f"{base.reference} does not list what is installed in it: "
            f"{finished.text.strip()[-300:]}"
        ) from None
    return ImagePackages(
        sites, tuple(distribution for distribution in listed if distribution is not None)
    )


def _distribution(fields: Mapping[str, object]) -> InstalledDistribution | None:
    return parse_distribution(str(fields["site"]), str(fields["metadata"]), str(fields["wheel"]))


def _over(artifact: Artifact, laid: Laid, image: ImagePackages) -> ImagePackages:
    """What is found in *artifact* where it lies, before what the *image* brings."""
    distributions, _ = distributions_in(artifact_tree(artifact))
    moved = [
        replace(distribution, site=_moved(distribution.site, laid.root))
        for distribution in distributions
    ]
    names = {canonicalize_name(distribution.name) for distribution in moved}
    rest = [
        distribution
        for distribution in image.distributions
        if canonicalize_name(distribution.name) not in names
    ]
    own = [laid.root, *sorted({distribution.site for distribution in moved})]
    return ImagePackages(tuple(dict.fromkeys((*own, *image.sites))), (*moved, *rest))


def _moved(site: str, root: str) -> str:
    return f"{root}/{site.strip('/')}".rstrip("/")


def _installed(distribution: InstalledDistribution, artifact: Artifact) -> Installed:
    if any("-linux_" in tag for tag in distribution.tags):
        state = SOURCE
    else:
        state = PURE if all(tag.endswith("-any") for tag in distribution.tags) else WHEEL
    return Installed(
        name=distribution.name,
        version=str(Version(distribution.version)),
        scope=DEPLOY,
        state=state,
        file="",
        url=artifact.shown,
        hash="",
        requested=False,
    )


def _joined(laid: Laid, files: IO[bytes]) -> IO[bytes]:
    """One tar of the artifact and of *files*, a whole tar."""
    target: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (handed to the caller)
    try:
        with laid.files, files:
            laid.files.seek(0)
            for part in (laid.files, files):
                shutil.copyfileobj(part, target)
        target.seek(0)
    except BaseException:
        target.close()
        raise
    return target
