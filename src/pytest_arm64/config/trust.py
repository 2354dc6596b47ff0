"""What a repository's files may not decide by themselves, and who has allowed it."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cache import digest
from ..errors import SettingsError
from .artifact import IMAGE, Artifact, configured_artifact
from .project_files import ProjectFiles
from .services import TABLE, Services, services_at
from .system_packages import KEY, SystemPackages, read_system_packages
from .target_choice import target_of_all, wanted_target
from .targets import OWN, shipped_targets
from .toml_lines import line_of

VARIABLE = "PYTEST_ARM64_TRUST"
"""Set to 1, it allows everything that the files say, as for a CI job whose changes are reviewed."""
_HARMLESS_NETWORKS = ("", "bridge", "none")
_LARGEST_RECORD = 2**20


@dataclass(frozen=True)
class Widening:
    """A setting of the repository's files that gives its tests more than they have without it."""

    setting: str
    value: str
    place: str
    """``pyproject.toml:3``; an absolute path."""
    variable: str = ""
    """Name of the variable that is taken from the host; without a value there it gives nothing."""

    def __str__(self) -> str:
        return f"{self.setting} = {self.value} ({self.place})"


def widenings(files: ProjectFiles, services: Services) -> tuple[Widening, ...]:
    """Everything in *files* that needs trust, whether this run would use it or not."""
    entries = [*_of_table(files), *_of_targets(files)]
    for service in (services.itself, *services.configured):
        entries += _of_packages(service.system_packages, service.where)
        if service.folder != files.rootpath and not service.named:
            entries += _of_targets(files.at(service.folder))
        entries += _of_keys(
            service.env, service.network, service.artifact, files.root, _always(service.where)
        )
    by_content = {(entry.setting, entry.value): entry for entry in reversed(entries)}
    return tuple(reversed(by_content.values()))


def _of_keys(
    env: Sequence[str],
    network: str,
    artifact: Artifact | None,
    root: Path,
    place: Callable[[str], str],
) -> Iterator[Widening]:
    """Of what the table of a service says; *place* knows where each key stands."""
    for name in env:
        if "=" not in name:
            yield Widening("env", json.dumps(name), place("env"), variable=name)
    if network not in _HARMLESS_NETWORKS:
        yield Widening("network", json.dumps(network), place("network"))
    if artifact is None:
        return
    if artifact.kind == IMAGE:
        yield Widening("artifact", json.dumps(artifact.shown), place("artifact"))
        return
    path = artifact.path.resolve()  # a link in the repository may lead out of it
    if not path.is_relative_to(root.resolve()):
        yield Widening("artifact", json.dumps(f"{artifact.kind}:{path}"), place("artifact"))


def _of_packages(packages: SystemPackages | None, place: str) -> Iterator[Widening]:
    """Their scripts run as root, with the network, while the image is made."""
    if packages is not None and (packages.build or packages.run):
        yield Widening(KEY, packages.shown, place)


def _of_table(files: ProjectFiles) -> Iterator[Widening]:
    """Of the project's own table, which counts even where a folder above configures the project."""

    def place(key: str) -> str:
        return _place(files, TABLE, key)

    table = files.table
    if image := table.get("image"):
        yield Widening("image", json.dumps(image), place("image"))
    if table.get("build-network"):
        yield Widening("build-network", "true", place("build-network"))
    yield from _of_packages(read_system_packages(table.get(KEY, {})), place(KEY))
    artifact = configured_artifact(table.get("artifact", ""), files.rootpath)
    yield from _of_keys(table.get("env", ()), table.get("network", ""), artifact, files.root, place)


def _of_targets(files: ProjectFiles) -> Iterator[Widening]:
    for name, table in files.table.get("targets", {}).items():
        value = json.dumps(table, sort_keys=True, default=str)
        yield Widening(f"targets.{name}", value, _place(files, (*TABLE, "targets", name)))


def _always(place: str) -> Callable[[str], str]:
    return lambda _: place


def _place(files: ProjectFiles, table: tuple[str, ...], key: str = "") -> str:
    file = files.toml.find(files.manifest)
    line = line_of(file.text, table, key) if file is not None else 0
    return f"{files.manifest}:{line}" if line else str(files.manifest)


def in_effect(
    entries: Iterable[Widening],
    files: ProjectFiles,
    services: Services,
    *,
    target: str,
    image: str,
    environ: Mapping[str, str],
) -> tuple[Widening, ...]:
    """Those of *entries* that give a run something.

    Args:
        entries: as ``widenings`` returned them.
        files: the files that they were read from.
        services: those that the files configure.
        target: the option ``--arm64-target``, empty where it was not given.
        image: the image that the user chose by option or variable, which replaces the files'.
        environ: the host's environment variables.
    """
    chosen = {wanted_target(target, files, environ)}
    if not target_of_all(target, environ):
        named = [service.target for service in services.configured]
        chosen |= {each.name.removesuffix(OWN) for each in named if each is not None}

    def counts(entry: Widening) -> bool:
        if entry.variable:
            return entry.variable in environ
        if entry.setting == "image":
            return not image
        if entry.setting.startswith("targets."):
            name = entry.setting.partition(".")[2]
            return name in chosen and (not image or name in shipped_targets())
        return True

    return tuple(filter(counts, entries))


def allows_all(environ: Mapping[str, str]) -> bool:
    """Whether ``PYTEST_ARM64_TRUST`` allows everything."""
    return environ.get(VARIABLE, "").lower() not in ("", "0", "false", "no")


def allowed_by(files: ProjectFiles, entries: Sequence[Widening], environ: Mapping[str, str]) -> str:
    """Who has allowed all *entries* of *files*, in words; empty where nobody has."""
    if allows_all(environ):
        return VARIABLE
    path = _record_path(files)
    if path.resolve().is_relative_to(files.root.resolve()):
        return ""  # tests can write there
    try:
        if path.stat().st_size > _LARGEST_RECORD:
            return ""
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return ""
    same = isinstance(record, dict) and record.get("settings") == _content(entries)
    return "pytest-arm64 trust" if same else ""


def refuse_untrusted(
    files: ProjectFiles,
    services: Services,
    environ: Mapping[str, str],
    *,
    target: str = "",
    image: str = "",
    only: Collection[str] = (),
) -> tuple[str, ...]:
    """Lines that say what was widened, in which file, and who allowed it.

    Args:
        files: the project's.
        services: those that it configures.
        environ: the host's environment variables.
        target: as for ``in_effect``.
        image: as for ``in_effect``.
        only: the settings that the caller obeys; empty for all of them.

    Raises:
        SettingsError: the files widen what the tests may reach, and nobody has allowed it.
    """
    entries = widenings(files, services)
    counting = in_effect(entries, files, services, target=target, image=image, environ=environ)
    counting = tuple(entry for entry in counting if not only or entry.setting in only)
    if not counting:
        return ()
    who = allowed_by(files, entries, environ)
    if not who:
        listed = "".join(f"\n    {entry}" for entry in counting)
        raise SettingsError(
            f"files of this repository request more access than tests get by default:{listed}",
            why="a pull request that changes these files could widen access",
            next_step=f"read these settings, then type in {files.rootpath}: pytest-arm64 trust "
            f"(in CI, for changes that were reviewed: {VARIABLE}=1)",
        )
    return tuple(f"widened: {entry}, allowed by {who}" for entry in counting)


def read_widenings(rootpath: Path) -> tuple[ProjectFiles, tuple[Widening, ...]]:
    """The files of the project at *rootpath*, and everything in them that needs trust.

    Raises:
        SettingsError: they cannot be read.
    """
    from .project_files import read_project_files

    files = read_project_files(rootpath)
    return files, widenings(files, services_at(files))


def trust(files: ProjectFiles, entries: Sequence[Widening]) -> Path:
    """Record that the user allows *entries* of *files*; the file that says so.

    Raises:
        SettingsError: the record would lie where tests can write.
        OSError: it cannot be written.
    """
    path = _record_path(files)
    if path.resolve().is_relative_to(files.root.resolve()):
        raise SettingsError(
            f"{path} lies in the repository",
            why="its tests could write there, and allow themselves everything",
            next_step="set XDG_DATA_HOME to a folder outside of the repository",
        )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = {"project": str(files.rootpath.resolve()), "settings": _content(entries)}
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    Path(name).replace(path)
    return path


def revoke(files: ProjectFiles) -> bool:
    """Forget what was allowed for *files*; whether there was anything."""
    path = _record_path(files)
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _content(entries: Sequence[Widening]) -> str:
    return digest(sorted([entry.setting, entry.value] for entry in entries))


def trusted_folder() -> Path:
    """Where records of what the user allows are, whether it exists or not."""
    import platformdirs

    return Path(platformdirs.user_data_dir("pytest-arm64", appauthor=False)) / "trusted"


def _record_path(files: ProjectFiles) -> Path:
    return trusted_folder() / f"{digest(str(files.rootpath.resolve()))}.json"
