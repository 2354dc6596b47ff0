"""Makes an environment image: packages as files, a look at each compiled one, records, the tag."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from .. import cache
from ..audit.matrix import DEPLOY
from ..audit.platform import marker_environment
from ..binary.compare import without, without_missing
from ..binary.learned import system_of_target
from ..binary.scan import scan_tar, system_of_run, with_artifact
from ..binary.system import System
from ..config.cell import Cell, ImageFacts, machine_of
from ..config.settings import Settings
from ..config.targets import ZIP, Target
from ..engine.container import Container
from ..engine.container_plan import Plan
from ..engine.emulation import qemu_environment
from ..engine.endpoint import LABEL
from ..engine.image_uses import made_images, remove_images, surplus
from ..engine.images import Base, find_made, remove_derived, remove_nameless
from ..progress import Progress
from .artifact_installer import paths_entry
from .builder_container import Host
from .bytecode import compile_command
from .consistency import broken, installed_in
from .deployment import install_deployed
from .pip_container import Request
from .record import SOURCE, Installed, InstallRecord, with_built_states
from .system_layer import brought_libraries, installed_packages
from .tree import ABI, ENV, HOME, RECORD, SITES_LABEL, TESTS, TarEntry, tar_of

if TYPE_CHECKING:
    from ..inputs.lock import Lock


def make_image(
    host: Host,
    base: Base,
    request: Request,
    settings: Settings,
    lock: Lock | None,
    tag: str,
    progress: Progress,
) -> Base:
    """The environment image *tag*, made from *base* and what *request* asks for.

    Raises:
        InstallError, SettingsError, EngineError: see each.
    """
    engine, cell, ran = host.engine, host.cell, host.ran
    began = time.monotonic()
    former = find_made(engine, tag)
    host, builders = _remembering(host)
    made, installer, fallback = install_deployed(host, base, request, settings, lock, progress)
    with (
        made.files as files,
        progress.step("build the environment image") as step,
        Container(engine, Plan(image=base.id, platform=cell.platform)) as container,
    ):
        container.put("/", tar_of({"/opt": TarEntry(mode=0o755)}))
        step.update("looking at compiled files")
        system = system_of_run(engine, base, ran, cell.target)
        abi = scan_tar(
            f"environment {tag}", files, made.at, HOME, system, cell.target, _asked(cell, ran)
        )
        abi = without(abi, {canonicalize_name(p.name) for p in made.packages if not _deployed(p)})
        abi = without_missing(abi, brought_libraries(base))
        if settings.artifact is not None:
            abi = with_artifact(abi, settings.artifact, engine, base, made.size, cell.target)
        sites = (*made.sites, *(f"{prefix}/{ran.python.purelib}" for prefix in (ENV, TESTS)))
        installed = list(installed_in(files, made.at, sites))
        unmet = broken((*installed, *made.there), _markers(cell, ran))
        container.put(made.at, files)
        if made.sites:
            container.put("/", tar_of(paths_entry(ran.python, made.sites)))
        if made.uncompiled:
            step.update("compiling")
            # By the image's own interpreter: that of the environment runs what packages bring.
            compile_it = compile_command(ran.python, ENV, TESTS)
            container.run(compile_it, environment=qemu_environment(cell, engine))
        record = InstallRecord(
            packages=tuple(with_built_states(made.packages, installed)),
            installer=installer,
            made_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - began, 1),
            notes=made.notes,
            changed=made.changed,
            missing=made.missing,
            broken=tuple(unmet),
            fallback=fallback,
            system_packages=installed_packages([*builders, base]),
            not_crossed=made.not_crossed,
        )
        documents = {RECORD: record.to_json(), ABI: abi.to_json()}
        container.put(
            "/", tar_of({p: TarEntry(json.dumps(d).encode()) for p, d in documents.items()})
        )
        sites_label = json.dumps(list(made.sites))
        container.commit(tag, {f"{LABEL}.base": base.id, SITES_LABEL: sites_label})
    cache.prune(cache.cache_folder(), limit=cache.LIMIT)
    image = find_made(engine, tag)
    assert image is not None
    if former is not None and former.id != image.id:
        remove_derived(engine, former)
    remove_nameless(engine)
    remove_images(engine, surplus(made_images(engine)))
    return image


def _remembering(host: Host) -> tuple[Host, list[Base]]:
    """*host*, and the builders that it has given: none where nothing was compiled."""
    builders: list[Base] = []

    def builder() -> Base:
        builders.append(host.builder())
        return builders[-1]

    return replace(host, builder=builder), builders


def _asked(cell: Cell, ran: ImageFacts) -> System | None:
    """What the target declares, where the image that runs is not the place that was asked."""
    target = cell.target
    elsewhere = cell.overridden or bool(ran.differences(target)) or target.package == ZIP
    if cell.architecture != "arm64" or not elsewhere or not _known(target):
        return None
    return system_of_target(target, date.today())


def _known(target: Target) -> bool:
    return bool(target.facts.release) or target.facts_file is not None


def _deployed(package: Installed) -> bool:
    """Whether the files of *package* are those that the target will have."""
    return package.scope == DEPLOY and package.state != SOURCE


def _markers(cell: Cell, ran: ImageFacts) -> dict[str, str]:
    major, minor = ran.python.minor.split(".")
    markers = marker_environment((int(major), int(minor)), machine_of(cell.architecture))
    full = {"python_full_version": ran.python.version, "implementation_version": ran.python.version}
    return {**markers, **full}
