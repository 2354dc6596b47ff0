"""Artifacts as they come, a wheel, a zip, a folder or an image, against a target: ABI records."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

from .. import cache
from ..config.artifact import IMAGE, ZIP, Artifact
from ..config.cell import ImageFacts
from ..config.suggestions import file_suggestion
from ..config.targets import Target
from ..engine.endpoint import Engine
from ..engine.images import Base, export_image, manifest_kind
from ..errors import ArtifactError
from .compare import beside
from .confirm import Reread, confirmed
from .cores import CoreScan
from .filetree import FileTree, Use, folder_tree, tar_tree, zip_tree
from .judge import judge
from .packages import owners
from .python_tags import other_pythons
from .record import (
    CORE_CODE,
    EXECUTABLE,
    MULTI_ARCHITECTURE,
    NEWER_CORE,
    TOO_LARGE,
    AbiFinding,
    AbiRecord,
)
from .stable_abi import beyond_stable_abi
from .system import System, looked_up_system

FORMAT = 2
_KIND = "libraries"
_OF_PACKAGES = (EXECUTABLE, NEWER_CORE, CORE_CODE)
_TASK = "/var/task"
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


def scan_path(path: Path, system: System, target: Target, other: System | None = None) -> AbiRecord:
    """The record of the wheel, zip file or folder *path*, against *system*.

    What holds only on *other* is a note.

    Raises:
        ArtifactError: it is not one of these, or cannot be read.
    """
    # Lambda unpacks a zip there, and searches there for libraries.
    root = _TASK if _TASK in target.library_path else "/artifact"
    cores = CoreScan()
    tree = _tree(path, root, cores)

    def reread(use: Use, only: Collection[str]) -> None:
        _tree(path, root, use, only)

    record = _judged(path.name, tree, root, system, target, reread)
    if other is not None:
        compared = _judged(path.name, tree, root, other, target, reread)
        record = beside(record, compared, decisive=False)
    zipped = path.suffix == ".zip"
    more = _too_large(tree.size, target, zipped=zipped) if path.suffix != ".whl" else ()
    others = other_pythons(tree, root, record.machine, target.python)
    beyond = beyond_stable_abi(tree, root, record.machine, reread)
    hints = cores.findings(root, owners(tree))
    return replace(record, findings=(*record.findings, *others, *beyond, *more, *hints))


def _too_large(size: int, target: Target, *, zipped: bool) -> tuple[AbiFinding, ...]:
    limit = target.facts.unpacked_limit if zipped or target.package == ZIP else 0
    if not limit or size <= limit:
        return ()
    finding = AbiFinding(
        "",
        TOO_LARGE,
        f"it unpacks to {size / 2**20:.0f} MiB, and Lambda takes {limit >> 20} of "
        "a function and its layers together",
        grave=True,
        remedy="leave out what the function does not import, or deploy a container image",
    )
    return (finding,)


def with_artifact(
    record: AbiRecord, artifact: Artifact, engine: Engine, image: Base, size: int, target: Target
) -> AbiRecord:
    """*record* of an environment, with what else is to be said of the *artifact* in it.

    Args:
        record: of the files that were put into *image*.
        artifact: what is deployed.
        engine: has the image.
        image: what runs: the artifact itself, or what it was put into.
        size: bytes of its files, where it is none.
        target: where it is deployed.
    """
    if artifact.kind != IMAGE:
        more = _too_large(size, target, zipped=artifact.kind == ZIP)
        return replace(record, findings=(*record.findings, *more))
    whole = scan_image(engine, image, record.machine, target)
    return replace(
        whole,
        artifact=artifact.shown,
        files=(*whole.files, *record.files),
        findings=(*whole.findings, *record.findings),
    )


def scan_tar(
    name: str,
    archive: IO[bytes],
    at: str,
    root: str,
    system: System,
    target: Target,
    asked: System | None = None,
) -> AbiRecord:
    """The record of what the tar *archive* holds if it is unpacked at *at*.

    Paths in it are relative to *root*. What holds only on *asked* counts as what holds on *system*.
    """
    cores = CoreScan()
    tree = tar_tree(archive, at, cores)

    def reread(use: Use, only: Collection[str]) -> None:
        tar_tree(archive, at, use, only)

    record = _judged(name, tree, root, system, target, reread)
    if asked is not None:
        compared = _judged(name, tree, root, asked, target, reread)
        record = beside(record, compared, decisive=True)
    hints = cores.findings(root, owners(tree))
    return replace(record, findings=(*record.findings, *hints))


def _judged(
    name: str, tree: FileTree, root: str, system: System, target: Target, reread: Reread
) -> AbiRecord:
    record = judge(name, tree, root, system, target.manager)
    return confirmed(record, root, system.pages, reread)


def scan_image(engine: Engine, image: Base, machine: str, target: Target) -> AbiRecord:
    """The record of the whole file system of *image*, against its own libraries."""
    with export_image(engine, image) as archive:
        page_size = target.facts.page_size
        system = _look(tar_tree(archive, "/"), image, image.reference, machine, page_size)
        record = scan_tar(f"image {image.reference}", archive, "/", "/", system, target)
    # Programs and cores' code of the system are no news; those that a package brings are.
    shown = [f for f in record.findings if f.kind not in _OF_PACKAGES or f.package]
    return replace(record, findings=(*shown, *_manifest_findings(engine, image, target)))


def _manifest_findings(engine: Engine, image: Base, target: Target) -> Iterator[AbiFinding]:
    """Lambda takes images by the manifest of one platform. Source: AWS, "Create a Lambda function
    using a container image".
    """
    if _TASK not in target.library_path:
        return
    kind = manifest_kind(engine, image.reference)
    if kind in _INDEXES:
        yield AbiFinding(
            "",
            MULTI_ARCHITECTURE,
            f"{image.reference} is a manifest of several platforms in its registry ({kind}), and "
            "Lambda takes one platform's only",
            grave=True,
            remedy="push one platform without attestations: docker buildx build "
            "--platform linux/arm64 --provenance=false --sbom=false --push",
        )
    elif not kind:
        yield AbiFinding(
            "",
            MULTI_ARCHITECTURE,
            f"no registry knows {image.reference}: whether Lambda takes its manifest is open",
            grave=False,
        )


def system_of(
    engine: Engine, image: Base, machine: str, page_size: int, reference: str = ""
) -> System:
    """What *image* gives to a compiled file; remembered by the image's id.

    *reference* is what people know the image by, if not its own.
    """
    name = reference or image.reference
    key = cache.digest([FORMAT, image.id, page_size, name])
    cached = cache.load(_KIND, key)
    if cached is not None:
        try:
            return System.from_json(cached)
        except ValueError:
            pass  # damaged: look again
    with export_image(engine, image) as archive:
        system = _look(tar_tree(archive, "/"), image, name, machine, page_size)
    cache.store(_KIND, key, system.to_json())
    return system


def system_of_run(engine: Engine, image: Base, ran: ImageFacts, target: Target) -> System:
    """``system_of`` for an image that was probed; pages are those of *target*, not of the host."""
    return system_of(engine, image, ran.machine, target.facts.page_size, ran.image)


def _look(tree: FileTree, image: Base, name: str, machine: str, page_size: int) -> System:
    return looked_up_system(
        tree,
        name=f"image {name} ({(image.digest or image.id)[:19]})",
        machine=machine,
        page_size=page_size,
        library_path=image.library_path,
    )


def _tree(
    path: Path, root: str, use: Use | None = None, only: Collection[str] | None = None
) -> FileTree:
    if path.is_dir():
        return folder_tree(path, root, use, only)
    if not path.is_file():
        raise ArtifactError(
            f"{path} does not exist{file_suggestion(path)}",
            next_step="give a wheel, a zip or a folder",
        )
    return zip_tree(path, root, use, only)
