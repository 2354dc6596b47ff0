"""Evidence on the services of a repository: configuration, matrices, isolation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from ..audit.matrix import DEPLOY, PURE, SOURCE, WHEEL, WheelMatrix
from ..binary.mapped import ELSEWHERE, Mapped
from ..binary.record import CORE_CODE, AbiRecord
from ..config.services import ServiceConfig
from ..environment.failures import DISK, HASH, NETWORK, Tools, classify
from ..environment.record import InstallRecord
from ..errors import BuildError, InstallError, OverdueBuildError
from ..inside.ran import Ran
from .boundary import leaks
from .evidence import Build, Finding, Install, Package, ServiceEvidence
from .imports import imports_of, modules_of

_SHOWN = 5
_LONGEST = 4000


def named_alike(
    matrices: Iterable[WheelMatrix], services: Sequence[ServiceConfig]
) -> tuple[WheelMatrix, ...]:
    """*matrices*, the only one by the name of the only service: the audit knows no folder above."""
    audited = tuple(matrices)
    if len(audited) == len(services) == 1:
        return (replace(audited[0], service=services[0].name),)
    return audited


def evidence_on(
    services: Sequence[ServiceConfig], matrices: Iterable[WheelMatrix], problem: str = ""
) -> tuple[ServiceEvidence, ...]:
    """What is known of *services* without running anything.

    Args:
        services: the services.
        matrices: those that the audit made, one for each service.
        problem: why there is none of a service that has none.
    """
    by_name = {matrix.service: matrix for matrix in matrices}
    leaking = _leaks(services, by_name)
    return tuple(
        ServiceEvidence(
            name=service.name,
            matrix=by_name.get(service.name),
            target=by_name[service.name].target if service.name in by_name else "",
            leaks=leaking.get(service.name, ()),
            boundary=service.boundary,
            monthly_cost=service.monthly_cost,
            memory=service.memory,
            group=service.group,
            problem="" if service.name in by_name else problem or "it was not audited",
        )
        for service in services
    )


def _leaks(
    services: Sequence[ServiceConfig], matrices: dict[str, WheelMatrix]
) -> dict[str, tuple[str, ...]]:
    bounded = [service for service in services if service.boundary is not None]
    if not bounded:
        return {}
    # A folder that several share tells nobody's imports from another's.
    folders = [service.folder for service in services]
    own = [s for s in services if not any(_holds(s.folder, other) for other in folders)]
    imports = {service.name: imports_of(service.folder, service.tests) for service in own}
    leaking = {}
    for service in bounded:
        assert service.boundary is not None
        modules = modules_of(service.folder) if service in own else ()
        theirs = {m for s in own if s is not service for m in modules_of(s.folder)}
        apart = [module for module in modules if module not in theirs]
        leaking[service.name] = tuple(
            leaks(service.name, service.boundary, matrices, imports, apart)
        )
    return leaking


def _holds(folder: Path, other: Path) -> bool:
    return folder != other and folder in other.parents


def based(
    services: Iterable[ServiceEvidence], rootpath: Path, root: Path
) -> tuple[ServiceEvidence, ...]:
    """*services*, audited at *rootpath*, with where that is below *root*, the repository."""
    inside = rootpath != root and root in rootpath.parents
    base = rootpath.relative_to(root).as_posix() if inside else ""
    return tuple(replace(evidence, base=base) for evidence in services)


def install_of(record: InstallRecord, where: Ran) -> Install:
    """The deployed packages of *record*, which was made on *where*."""
    return Install(
        where=replace(where, when=record.made_at),
        packages=tuple(
            Package(canonicalize_name(package.name), package.version, package.state)
            for package in record.packages
            if package.scope == DEPLOY
        ),
        installer=record.installer,
        seconds=record.seconds,
    )


def with_refusal(evidence: ServiceEvidence, error: InstallError, where: Ran) -> ServiceEvidence:
    """*evidence* with an installation that failed for *where*, and the build that made it fail.

    An outage says nothing against a service, nor does what fails on x86, nor a build that was
    ended because it took longer than the user wanted to wait.
    """
    if isinstance(error, BuildError) and error.ran is not None:
        where = error.ran.as_evidence(where.when, asked_image=where.asked_image)
    outage = {failure.kind for failure in classify(error.log, Tools())} & {NETWORK, DISK, HASH}
    ended = isinstance(error, OverdueBuildError)
    against = where.on_arm and not (outage or ended)
    finding = Finding("install", error.what, against, where, remedy=error.next_step)
    builds = evidence.builds
    if isinstance(error, BuildError) and against:
        builds = (*builds, _failed(error, evidence.matrix, where))
    return replace(evidence, findings=(*evidence.findings, finding), builds=builds)


def _failed(error: BuildError, matrix: WheelMatrix | None, where: Ran) -> Build:
    name = canonicalize_name(error.package)
    rows = matrix.deployed if matrix is not None else ()
    version = error.version or next((row.version for row in rows if row.name == name), "")
    return Build(
        name,
        version,
        False,
        where,
        text=error.excerpt[:_LONGEST],
        seconds=error.seconds,
        cause=", ".join(error.kinds),
    )


def abi_findings(record: AbiRecord, where: Ran) -> Iterator[Finding]:
    """What keeps deployed compiled files from being loaded, and that they were looked at."""
    systems = " and ".join(filter(None, [record.against, record.beside]))
    summary = f"{len(record.files)} compiled files were read against {systems}"
    yield Finding("abi", summary, grave=False, where=where)
    for finding in record.findings:
        if finding.kind == CORE_CODE:  # of every library with vectors: the header says it once
            continue
        text = f"{finding.kind}: {finding.path}: {finding.told}"
        yield Finding(
            *("abi", text, finding.grave, where, finding.package, finding.remedy),
            cause=finding.kind,
            path=finding.path,
        )


def uncompiled_findings(
    matrix: WheelMatrix, record: InstallRecord, abi: AbiRecord, where: Ran
) -> Iterator[Finding]:
    """Deployed packages that were built without the compiled module that they could have.

    Some builds go on where a compiler or a library is missing, as PyYAML's without libyaml.
    """
    compiled = {canonicalize_name(file.package) for file in abi.files if file.package}
    built = {
        canonicalize_name(package.name)
        for package in record.packages
        if package.scope == DEPLOY and package.state in (SOURCE, PURE)
    }
    for row in matrix.deployed:
        from_source = row.state == SOURCE or row.from_source
        could = from_source and (row.x86 == WHEEL or row.pure_fallback)
        if could and row.name in built - compiled:
            yield Finding(
                "build",
                f"{row.name} {row.version} was built without a compiled module: it works, and may "
                "be slower than on x86",
                grave=False,
                where=where,
                package=row.name,
            )


def mapped_findings(mapped: Sequence[Mapped], where: Ran) -> Iterator[Finding]:
    """What of the libraries that were loaded nobody had foreseen."""
    for library in mapped:
        if library.instead_of:
            text = f"{library.path} was loaded at run time, and {library.instead_of} was foreseen"
            yield Finding("abi", text, grave=False, where=where)
    unknown = [library.path for library in mapped if library.origin == ELSEWHERE]
    if unknown:
        names = ", ".join(unknown[:_SHOWN]) + (", …" if unknown[_SHOWN:] else "")
        text = f"{len(unknown)} libraries were loaded at run time and are in no record: {names}"
        yield Finding("abi", text, grave=False, where=where)


def builds_of(record: InstallRecord, where: Ran) -> Iterator[Build]:
    """A build for each deployed package that *record* made from source, and did not find built."""
    for package in record.packages:
        if package.scope == DEPLOY and package.state == SOURCE and not package.kept:
            yield Build(
                canonicalize_name(package.name),
                package.version,
                True,
                replace(where, when=record.made_at),
                seconds=package.seconds,
                cross=package.cross,
            )


def system_findings(record: InstallRecord, where: Ran) -> Iterator[Finding]:
    """Packages of the system that were added to the image: production has to have them, too."""
    if record.system_packages:
        text = f"system packages were installed: {', '.join(record.system_packages)}"
        yield Finding("install", text, grave=False, where=where)


def cross_findings(record: InstallRecord, where: Ran) -> Iterator[Finding]:
    """Deployed packages in which tests ran what another program than the target's compiled."""
    for package in record.packages:
        if package.scope == DEPLOY and package.cross:
            yield Finding(
                "build",
                f"{package.name} {package.version} was compiled by {package.cross} as a cross "
                "compiler, which gives the same files as the target's own for a sample",
                grave=False,
                where=where,
                package=canonicalize_name(package.name),
            )
